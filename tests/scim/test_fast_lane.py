"""The fast lane answers what the whole way answers, byte by byte and header by header."""

from __future__ import annotations

import pytest

from tests.kit.nights import ME
from tests.kit.scim_client import operation, refusal, user


@pytest.fixture
def both_ways(idp):
    """Return a function that asks twice: in front of the framework, and all the way through."""

    def ask(path, *, method="GET", **headers):
        lane = idp.app.wsgi_app
        sent = {"Authorization": f"Bearer {idp.token}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        answers = []
        for application in (lane, lane._application):
            idp.app.wsgi_app = application
            answer = idp.client.open(
                f"/scim/v2{path}", method=method, base_url="https://intranet.example", headers=sent
            )
            # Flask says that answers depend on the cookie; none of these has one.
            headers = {name: value for name, value in answer.headers if name != "Vary"}
            answers.append((answer.status_code, answer.data, headers))
        idp.app.wsgi_app = lane
        assert answers[0] == answers[1]
        return answers[0]

    return ask


def look_up(name, operator="eq"):
    return f"/Users?filter=userName%20{operator}%20%22{name}%22"


def test_a_user_and_a_look_up_are_the_same_either_way(idp, both_ways):
    """With groups, a version known already, in any case, and for nobody."""
    ann = idp.create("ann", displayName="Ännchen")
    idp.group("Sales", ann)
    one = f"/Users/{ann['id']}"
    assert both_ways(one)[0] == 200
    assert both_ways(one, If_None_Match=ann["meta"]["version"])[0] == 304
    for name in ("ann@corp.example", "ANN@Corp.Example"):
        assert b'"totalResults":1' in both_ways(look_up(name))[1]
    assert b'"totalResults":1' in both_ways(look_up("ann%40corp.example", "EQ"))[1]
    assert b'"totalResults":0' in both_ways(look_up("nobody@corp.example"))[1]
    assert b'"totalResults":0' in both_ways(look_up("%C3%A4nn"))[1]


def test_refusals_are_the_same_either_way(idp, both_ways):
    """401, 403, 404 and an unknown host; the other way is not asked to be kinder."""
    ann = idp.create("ann")
    idp.delete(ann["id"])
    assert both_ways(f"/Users/{ann['id']}")[0] == 404
    assert both_ways("/Users/nobody")[0] == 404
    assert both_ways(look_up("ann"), Authorization="Bearer usher_1_2")[0] == 401
    assert both_ways(look_up("ann"), Authorization="")[0] == 401
    assert both_ways(look_up("ann"), Host="evil.example")[0] == 400
    blind = idp.services.tokens.create("idp", ME, scopes=["groups:read"]).secret
    assert both_ways(f"/Users/{ann['id']}", Authorization=f"Bearer {blind}")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        look_up("ann", "co"),
        look_up("a%5C%22b"),
        look_up(""),
        look_up("ann") + "&count=1",
        look_up("ann") + "&filter=",
        "/Users",
        "/Users?",
        "/Users/?filter=x",
        "/Users?filter=",
        "/Users?filter=userName",
        "/Groups",
        "//Users/7",
    ],
)
def test_whatever_is_less_plain_goes_the_whole_way(idp, both_ways, path):
    idp.create("ann")
    both_ways(path)
    both_ways(path, method="HEAD")


def test_a_revoked_token_is_worthless_with_the_next_request(idp):
    """Nothing is remembered between two requests."""
    ann = idp.create("ann")
    idp.get(ann["id"])
    idp.services.tokens.revoke(idp.token.split("_")[1], ME)
    refusal(idp("GET", f"/Users/{ann['id']}"), 401)


def test_the_short_look_up_finds_whom_the_filter_finds(idp):
    """The one filter that is not read by the grammar has to mean the same."""
    names = ["ann", "Bob", "o'neil", "a+b", "%", "_", "x" * 300, "a.b-c_d", "&=;", "\u0130x", "ß"]
    for name in names:
        idp("POST", "/Users", user(userName=name, externalId=name, emails=[]))
    idp.patch(idp.create("cid")["id"], operation("replace", "active", False))
    for name in [*names, "cid@corp.example", "BOB", "nobody", "SS"]:
        short = idp.list(filter=f'userName eq "{name}"')
        whole = idp.list(filter=f'(userName eq "{name}")')
        assert short == whole, name
