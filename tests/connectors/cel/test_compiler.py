"""CEL for mappings: what it can say, what it refuses, and that it always ends."""

import threading
import time

import pytest

from connectors.cel.compiler import MAX_LENGTH, CelCompiler
from provisioning.domain.errors import ExpressionError
from provisioning.domain.rules import ExpressionCompiler

ENTRY = {
    "mail": ("Anna.Weber@Corp.Example", "aw@corp.example"),
    "cn": ("Анна ВЕБЕР",),
    "sn": ("Müller",),
    "title": (" ",),
    "telephoneNumber": ("030 / 123 456",),
}


@pytest.fixture(scope="module")
def compiler() -> ExpressionCompiler:
    return CelCompiler()


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('first("mail")', "Anna.Weber@Corp.Example"),
        ('first("MAIL")', "Anna.Weber@Corp.Example"),
        ('first("none")', ""),
        ('all("mail")', ["Anna.Weber@Corp.Example", "aw@corp.example"]),
        ('all("none")', []),
        ('entry["mail"][1]', "aw@corp.example"),
        ("entry.Mail[1]", "aw@corp.example"),
        ('"mail" in entry', True),
        ('"none" in entry', False),
        ('"a" in entry["mail"]', False),
        ("has(entry.none) ? entry.none[0] : 'x'", "x"),
        ('lower(first("cn"))', "анна вебер"),
        ('first("cn").lower()', "анна вебер"),
        ('upper(first("sn"))', "MÜLLER"),
        ('title(first("cn"))', "Анна Вебер"),
        ('trim(" x ")', "x"),
        ('split("a,b", ",")', ["a", "b"]),
        ('replace("a-b-c", "-", "")', "abc"),
        ('joinNonEmpty([first("sn"), first("title"), "x"], ", ")', "Müller, x"),
        ('all("mail").map(m, domain(m)).joinNonEmpty("|")', "Corp.Example|corp.example"),
        ('firstNonEmpty(first("title"), first("sn"))', "Müller"),
        ('firstNonEmpty("", "", first("sn"))', "Müller"),
        ('firstNonEmpty([first("none"), first("title")])', ""),
        ('all("mail").firstNonEmpty()', "Anna.Weber@Corp.Example"),
        ('local(first("mail"))', "Anna.Weber"),
        ('domain("no address")', ""),
        ('stripDiacritics(first("sn"))', "Muller"),
        ('stripDiacritics("Йорг Øst")', "Йорг Ost"),
        ('translit(first("cn"))', "Anna VEBER"),
        ('translit(first("sn"))', "Mueller"),
        ('translit("Ющенко ЩУКА")', "Iushchenko SHCHUKA"),
        ('phoneE164(first("telephoneNumber"), "DE")', "+4930123456"),
        ('phoneE164(first("telephoneNumber"))', ""),
        ('phoneE164("+1 2125")', ""),
        ('epochDays("20783")', "2026-11-26T00:00:00+00:00"),
        ('epochDays(first("shadowExpire"))', ""),
        ('epochDays("99999999999")', ""),
        ('hasBit("514", 2)', True),
        ('hasBit(first("userAccountControl"), 2) || hasBit("-2", 1)', False),
        ('first("telephoneNumber").phoneE164("DE")', "+4930123456"),
        (r'regexReplace("Weber, Anna", "^(.*), (.*)$", "\\2 \\1")', "Anna Weber"),
        ('first("mail").matches("^Anna")', True),
        ('all("mail").exists(m, m.endsWith("corp.example"))', True),
        ('all("mail").all(m, m.endsWith("corp.example"))', False),
        ('all("mail").filter(m, m.startsWith("aw"))', ["aw@corp.example"]),
        ('int("514") / 2 % 2 == 1', True),
        ("null", None),
        (r"'first(\"x\")' // first(nothing)", 'first("x")'),
        (r'r"\d" + "é"', r"\dé"),
    ],
)
def test_an_expression_says_what_it_means(compiler, expression, value):
    assert compiler.compile(expression).evaluate(ENTRY) == value


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('first("mail") + all( "cn" )[0]', {"mail", "cn"}),
        ("entry[\"mail\"][0] + entry.cn[0] + entry[ 'sn' ][0]", {"mail", "cn", "sn"}),
        ('"mail" in entry || has(entry.cn)', {"mail", "cn"}),
        ('all("mail").all(m, m == first("cn"))', {"mail", "cn"}),
        ('first("cn;lang-de") + first("x-y_z.1")', {"cn;lang-de", "x-y_z.1"}),
        ("""'first("mail")' + r"all('sn')" + '''entry.cn''' // entry["title"]""", set()),
        ("'it' + 'is' + first('first')", {"first"}),
    ],
)
def test_the_attributes_of_an_expression_are_known(compiler, expression, names):
    assert compiler.compile(expression).attributes == names


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ('first("mail"', "line 1, column 13: Syntax error"),
        ('\n  nope("x")', "line 2, column 7: undeclared reference to 'nope'"),
        ("first(1)", "line 1, column 6: found no matching overload for 'first'"),
        ('first("mail") + 1', "line 1, column 15: found no matching overload"),
        ('first("a" + "b")', "line 1, column 1: first needs the name of one attribute"),
        ('"x" +\n first(first("mail"))', "line 2, column 2: first needs the name of one attribute"),
        ('all("mail").map(m, all(m)[0])', "line 1, column 20: all needs the name of one attribute"),
        (r'first("ma\151l")', "first needs the name of one attribute"),
        ('entry.exists(name, name == "mail")', "entry needs the name of one attribute"),
        ('entry["a" + "b"][0]', "entry needs the name of one attribute"),
        ("entry.map(k, k)", "entry needs the name of one attribute"),
        ("entry", "gives MAP"),
        ("1 + 1", "gives INT"),
        ('{"a": "b"}', "gives MAP"),
        ('[["a"]]', "gives LIST<LIST<STRING>>"),
        ('b"x"', "gives BYTES"),
        ('"' + "x" * MAX_LENGTH + '"', "characters are too many"),
        ("(" * 100 + "true" + ")" * 100, "recursion"),
        ("['a']" + ".map(x, x + x)" * 5, "5 loops are too many"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_when_the_mapping_is_saved(compiler, expression, sentence):
    with pytest.raises(ExpressionError) as caught:
        compiler.compile(expression)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ('entry["none"][0]', "Key not found"),
        ('hasBit(first("mail"), 2)', "invalid literal"),
        ('int(first("mail")) == 1', "cannot convert string to int"),
        ('all("mail")[7]', "Index error"),
        ('replace(first("mail"), "", "x")', "replace needs something to look for"),
        ('regexReplace(first("mail"), "(", "x")', "'(' is not a pattern of RE2"),
        ("dyn(1)", "gives int"),
        ('dyn(["a", 1])', "gives list"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_and_never_a_text(compiler, expression, sentence):
    with pytest.raises(ExpressionError) as caught:
        compiler.compile(expression).evaluate(ENTRY)
    assert sentence in str(caught.value)


def test_no_loop_runs_for_long(compiler):
    loops = 'all("m").exists(a, all("m").exists(b, all("m").exists(c, a + b + c == "z")))'
    begun = time.monotonic()
    with pytest.raises(ExpressionError, match="budget"):
        compiler.compile(loops).evaluate({"m": [str(number) for number in range(1000)]})
    assert time.monotonic() - begun < 5


def test_no_pattern_runs_for_long(compiler):
    expression = compiler.compile('regexReplace(first("m"), "(a|a)*$", "x")')
    begun = time.monotonic()
    expression.evaluate({"m": ["a" * 5000 + "b"]})
    assert time.monotonic() - begun < 2


def test_no_text_grows_without_end(compiler):
    expression = compiler.compile('replace(first("m"), "a", first("m"))')
    with pytest.raises(ExpressionError, match="more than 10000 characters"):
        expression.evaluate({"m": ["a" * 200]})


def test_threads_do_not_see_each_others_entries(compiler):
    expression = compiler.compile('first("n") + "/" + all("n")[0]')
    wrong = []

    def work(number):
        seen = {expression.evaluate({"n": [str(number)]}) for _ in range(500)}
        wrong.extend(seen - {f"{number}/{number}"})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
