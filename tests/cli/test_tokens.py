"""Tokens from the terminal."""

from __future__ import annotations


def test_tokens_are_shown_once_listed_and_revoked(usher):
    made = usher("token", "create", "okta", "--first-run", "apply", "--json").json
    assert made["token"].startswith(f"usher_{made['id']}_")
    listed = usher("token", "list", "--json")
    assert made["token"] not in listed.out
    assert [row["source"] for row in listed.json["tokens"]] == ["okta"]
    usher("token", "revoke", made["id"])
    assert usher("token", "list", "--json").json["tokens"][0]["revoked"]
    assert "there is no token" in usher("token", "revoke", "x", code=1).err
    usher("token", "create", "Not A Name", code=78)
    usher("token", "create", "corp", code=78)


def test_a_token_is_made_as_asked_for_and_replaced(usher):
    """Only the secret is on stdout: it can be put into a file or a variable."""
    narrow = usher(
        "token", "create", "okta", "--scope", "users:read", "--scope", "groups:read",
        "--expires", "30", "--note", "a trial", "--json",
    ).json  # fmt: skip
    assert narrow["scopes"] == ["users:read", "groups:read"]
    rotated = usher("token", "rotate", narrow["id"], "--overlap", "0")
    new, listed = rotated.out.split("\n")[0], usher("token", "list", "--json").json["tokens"]
    assert new.startswith("usher_")
    rows = {row["id"]: row for row in listed}
    assert rows[narrow["id"]]["replaced_by"] == new.split("_")[1]
    assert rows[new.split("_")[1]]["note"] == "a trial"
    assert "replaced by" in usher("token", "rotate", narrow["id"], code=1).err
    assert "replaced by" in usher("token", "list").out
    usher("token", "create", "okta", "--scope", "root", code=64)
    usher("token", "create", "okta", "--expires", "0", code=64)
    usher("token", "create", code=64)


def test_a_client_is_shown_with_its_id_and_secret(usher):
    made = usher("token", "create", "okta", "--client", "--json").json
    assert made.keys() == {"id", "client_secret", "source", "scopes", "expires_at"}
    assert made["id"] in usher("token", "rotate", made["id"]).out
