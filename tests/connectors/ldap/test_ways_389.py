"""Content synchronisation of a real 389 Directory Server, and what makes it doubtful (R6)."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import MarkError
from tests.kit.ds389 import running_ds389
from tests.kit.marks import seen, value_of, with_value
from tests.kit.sequences import everyone, source_of


@pytest.fixture
def tree(ds389):
    return ds389.branch(3)


def test_389_names_who_is_gone_though_it_says_that_it_does_not(tree):
    """R6: read to the letter, its refreshDeletes FALSE would dismiss everybody not named."""
    corp = source_of(tree)
    people, mark = everyone(corp)
    (leaver,) = (raw.anchor for raw in people.values() if "u0" in raw.where)
    tree.delete("u0")
    tree.modify("u1", title="Lead")
    told, gone, _ = seen(tree, corp, mark)
    assert (told, gone) == ({"u1"}, {leaver})


@pytest.mark.parametrize(
    "other",
    [
        lambda cookie: cookie.replace("(objectClass=*)", "(uid=*)"),
        lambda cookie: cookie.replace("cn=reader", "cn=plain"),
        lambda cookie: cookie.replace("localhost", "elsewhere"),
        lambda cookie: f"{cookie}999999",
    ],
    ids=["filter", "account", "server", "future"],
)
def test_a_cookie_of_389_for_another_question_is_refused(tree, other):
    """R6: "Invalid session cookie" (4096)."""
    corp = source_of(tree)
    mark = everyone(corp)[1]
    ((base, cookie),) = value_of(mark).items()
    assert other(cookie) != cookie
    with pytest.raises(MarkError, match="tells no changes"):
        seen(tree, corp, with_value(mark, **{base: other(cookie)}))


@pytest.mark.parametrize("cookie", ["garbage", "", "#"])
def test_a_cookie_of_389_that_is_none_is_refused(tree, cookie):
    corp = source_of(tree)
    ((base, _),) = value_of(mark := everyone(corp)[1]).items()
    with pytest.raises(MarkError, match="names no change"):
        seen(tree, corp, with_value(mark, **{base: cookie}))


def test_389_without_its_oldest_changes_is_not_believed():
    """R6: it says success, and leaves out what it has forgotten."""
    with running_ds389() as server:
        branch = server.branch(3)
        corp = source_of(branch)
        mark = everyone(corp)[1]
        branch.modify("u0", title="Lead")
        branch.modify("u1", title="Lead")
        with server.administering() as admin:
            last = int(value_of(mark)[branch.unit("People")].rpartition("#")[2]) + 1
            for number in range(1, last + 1):
                admin.delete(f"changenumber={number},cn=changelog")
        server.stop()
        server.start()
        with pytest.raises(MarkError, match=f"before change {last + 1}"):
            seen(branch, corp, mark)
