"""What may be written down of a request: no secret, and of a person no more than helps."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.services.redaction import (
    MAX_BODY,
    redacted_body,
    redacted_filter,
    redacted_query,
    redacted_text,
)

HIDDEN = "hunter2-Xq"
"""What must not be anywhere."""

BEARER = "Bearer usher_0a1b2c3d_AbCdEfGhIjKlMnOpQrStUvWxYz012345"


def kept(payload):
    """The body as it is kept, parsed again."""
    return json.loads(redacted_body(payload).text)


@pytest.mark.parametrize(
    "payload",
    [
        {"password": HIDDEN},
        {"PassWord": HIDDEN},
        {"PASSWORD": [HIDDEN, {"x": HIDDEN}]},
        {"urn:ietf:params:scim:schemas:core:2.0:User:password": HIDDEN},
        {"urn:corp:User": {"initial_password": HIDDEN, "api-key": HIDDEN, "clientSecret": HIDDEN}},
        {"userPin": HIDDEN},
        {"op": "replace", "path": "password", "value": HIDDEN},
        {"OP": "Replace", "Path": "Password", "Value": {"x": [HIDDEN]}},
        {"op": "add", "value": {"password": HIDDEN}},
        {"op": "add", "path": 'x[type eq "password"].value', "value": HIDDEN},
        {"op": "add", "path": f'x[password eq "{HIDDEN}"].value', "value": "y"},
        {"op": "add", "value": {f'x[password eq "{HIDDEN}"].value': "y"}},
        {"credentials": [{"type": "work", "value": HIDDEN}]},
        {"things": [{"type": "password", "value": HIDDEN}]},
        {"things": [{"name": "apiToken", "data": HIDDEN}]},
        {"Operations": [{"method": "POST", "path": "/Users", "data": {"password": HIDDEN}}]},
        {"note": f"my password: {HIDDEN}"},
        {"note": f"Authorization: Bearer {HIDDEN}"},
        {"note": json.dumps({"password": HIDDEN})},
        {"photos": [{"type": "photo", "password": HIDDEN}]},
        {"members": [{"value": "x"}] * 500 + [{"password": HIDDEN}]},
    ],
    ids=str,
)
def test_no_secret_is_kept(payload):
    """Safety 9: by name, by path, by type, nested, in any case, and in words."""
    found = redacted_body({"Operations": [payload], **payload})
    assert HIDDEN not in found.text
    assert HIDDEN not in redacted_text(json.dumps(payload), found.secrets)


@pytest.mark.parametrize("nothing", [None, "", [], {}], ids=str)
def test_whether_there_is_a_secret_is_kept(nothing):
    """An administrator sees that a password was cleared, or set."""
    assert kept({"password": nothing}) == {"password": nothing}
    assert kept({"password": "x"}) == {"password": "(secret)"}


def test_what_helps_is_kept_as_it_came():
    """Names, addresses and departments are what the log is for."""
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ann@corp.example",
        "name": {"givenName": "Ann", "familyName": "Weber"},
        "emails": [{"value": "ann@corp.example", "type": "work", "primary": True}],
        "phoneNumbers": [{"value": "+49 30 1", "type": "work"}],
        "active": "True",
        "Operations": [{"op": "Replace", "path": 'emails[type eq "work"].value', "value": None}],
    }
    assert kept(body) == body


@pytest.mark.parametrize(
    "name",
    ["photos", "Photos", "thumbnailPhoto", "x509Certificates", "addresses", "birthDate", "gender"],
)
def test_what_is_nobodys_business_is_left_out(name):
    """That it was sent is kept; what it was is not, wherever it stands."""
    for body in (
        {name: [{"value": HIDDEN}]},
        {"urn:corp:User": {name: HIDDEN}},
        {"op": "add", "path": f'{name}[type eq "home"].value', "value": HIDDEN},
        {"op": "add", "value": {f"{name}.value": HIDDEN}},
    ):
        text = redacted_body(body).text
        assert HIDDEN not in text
        assert "(left out: " in text


def test_what_is_long_is_cut_and_says_so():
    """The log stays small: texts, lists and whole bodies have an end."""
    assert kept({"title": "x" * 999}) == {"title": "x" * 64 + "... (999 characters)"}
    assert kept({"members": list(range(150))})["members"][-2:] == [99, "(and 50 more)"]
    whole = redacted_body({f"n{number}": "x" * 200 for number in range(100)}).text
    assert len(whole) < MAX_BODY + 50
    assert whole.endswith(" characters)")
    deep: dict = {}
    for _ in range(900):
        deep = {"x": deep}
    assert "left out" in redacted_body(deep).text


@pytest.mark.parametrize(
    ("came", "is_kept"),
    [
        ("startIndex=1&count=100", "startIndex=1&count=100"),
        ("filter=userName+eq+%22ann%22", 'filter=userName eq "ann"'),
        ("filter=displayName+eq+%22Token+Ring%22", 'filter=displayName eq "Token Ring"'),
        ("filter=password+eq+%22x1%22+or+a+eq+7", 'filter=password eq "(secret)" or a eq (secret)'),
        ("access_token=abc&count=1", "access_token=(secret)&count=1"),
        ("Api-Key=abc", "Api-Key=(secret)"),
        ("filter=password%2520eq%2520x", "filter=(secret)"),
        (f"x={BEARER}", "x=Bearer (secret)"),
        ("password=", "password="),
    ],
)
def test_a_query_is_kept_for_people_to_read(came, is_kept):
    """Decoded, with the name somebody looked for, without secrets."""
    assert redacted_query(came) == is_kept


@pytest.mark.parametrize(
    "text", [BEARER, BEARER[7:], f"is {BEARER} good?", "Basic YW5uOnNlY3JldA=="]
)
def test_tokens_are_known_by_their_form(text):
    """A token in the wrong place is a token."""
    for found in (redacted_text(text), redacted_filter(text), redacted_body({"x": text}).text):
        assert "(secret)" in found
        assert BEARER[20:] not in found
        assert "YW5u" not in found


@pytest.mark.parametrize(
    "words",
    ["PA\u017f\u017fWORD=", "to\u212aen: ", "api \u212aey=", "Bas\u0131c ", "credent\u0131al="],
)
def test_letters_that_only_look_different_hide_nothing(words):
    """Safety 9: a long s, a Kelvin sign and a dotless i are s, k and i."""
    assert HIDDEN not in redacted_text(f"{words}{HIDDEN}")


secrets = st.text('abcdefgh0123456789 "\\é\n', min_size=4, max_size=30).map(lambda s: f"§{s}§")
cased = st.sampled_from(
    ["password", "secret", "token", "credentials", "apiKey", "pwd", "authorization"]
).flatmap(
    lambda word: st.lists(st.booleans(), min_size=len(word), max_size=len(word)).map(
        lambda ups: "".join(
            letter.upper() if up else letter.lower() for letter, up in zip(word, ups, strict=True)
        )
    )
)
names = st.text("abcxyz.:-_[] ", min_size=1, max_size=8)
plain = st.sampled_from([None, True, 7, "x", "pass", [], ["x"], {}, {"a": "b"}, [{"type": "work"}]])


@st.composite
def bodies(draw):
    """A body with a secret somewhere inside, and the secret."""
    secret, name = draw(secrets), draw(cased)
    value = draw(st.sampled_from([secret, [secret], {"value": secret}, [{"a": [secret]}]]))
    body = draw(
        st.sampled_from(
            [
                {name: value},
                {f"urn:x:y:{name}": value},
                {f"{name}.value": value},
                {"op": "Add", "path": name, "value": value},
                {"path": f'{name}[type eq "x"].y', "value": value},
                {"path": f'a[type eq "{name}"].y', "value": value},
                {"type": name, "value": value},
            ]
        )
    )
    for _ in range(draw(st.integers(0, 6))):
        around = draw(st.dictionaries(names, plain, max_size=3))
        key = draw(names)
        body = draw(st.sampled_from([{**around, key: body}, {key: [around, body]}]))
    return body, secret


@given(bodies())
def test_a_secret_is_never_kept_however_deep(made):
    """Safety 9: whatever is around it."""
    body, secret = made
    found = redacted_body(body)
    assert "§" not in found.text
    assert json.dumps(secret)[1:-1] not in found.text
    assert secret not in redacted_text(f"no: {secret}", found.secrets)
