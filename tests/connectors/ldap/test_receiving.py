"""What we decode ourselves is what ldap3 decodes; what is damaged is refused (R2)."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import ldap3
import pytest
from ldap3.core.exceptions import (
    LDAPExceptionError,
    LDAPResponseTimeoutError,
    LDAPSessionTerminatedByServerError,
    LDAPSocketReceiveError,
)

from connectors.ldap import messages
from connectors.ldap.receiving import accelerate
from tests.kit.ber import SYNC_STATE, Encoder

ANSWERS = 3_000
DAMAGED = 9_000
NUMBER = 7


class Arriving:
    """A socket that gives bytes in pieces, and then the end of the connection."""

    def __init__(self, data: bytes, chance: random.Random | None = None) -> None:
        borders = chance.choices(range(len(data) + 1), k=chance.randrange(12)) if chance else ()
        cuts = sorted({0, len(data), *borders})
        self.pieces = [data[a:b] for a, b in pairwise(cuts)]
        self.closed = False

    def recv(self, _: int) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""

    def shutdown(self, _: int) -> None: ...

    def close(self) -> None:
        self.closed = True


def opened(*, ours: bool) -> ldap3.Connection:
    server = ldap3.Server("ldap.corp.example", get_info=ldap3.NONE)
    connection = ldap3.Connection(server, check_names=False, receive_timeout=3)
    if ours:
        accelerate(connection)
    return connection


def answer(socket: Any, *, ours: bool, over: ldap3.Connection | None = None) -> list[Any]:
    """What one implementation makes of the bytes; ldap3 says None where there are no values."""
    connection = over or opened(ours=ours)
    connection.socket, connection.closed = socket, False
    found = connection.strategy._get_response(NUMBER, None)
    if found == "TERMINATED_BY_SERVER":
        raise LDAPSessionTerminatedByServerError
    return [
        {
            "raw_dn": bytes(each["raw_dn"]),
            "values": {name: list(values or ()) for name, values in each["raw_attributes"].items()},
            "controls": each.get("controls"),
        }
        if isinstance(each, dict) and each["type"] == "searchResEntry"
        else each
        for each in found
    ]


def refused(found: Callable[[], list[Any]]) -> list[Any] | None:
    try:
        return found()
    except LDAPExceptionError:
        return None


def some_answer(chance: random.Random) -> bytes:
    """Entries with and without controls, references, and the last word of the server."""
    encoder = Encoder(chance)
    parts = []
    for number in range(chance.randrange(6)):
        attributes = {
            b"attr%d%s" % (chance.randrange(9), chance.choice([b"", b"", b";lang-de"])): [
                chance.randbytes(chance.choice([0, 1, 5, 110, 115, 127, 128, 300]))
                for _ in range(chance.choice([0, 1, 1, 1, 2, 3]))
            ]
            for _ in range(chance.randrange(9))
        }
        state = encoder.control(SYNC_STATE, b"\x30\x03\x0a\x01\x01")
        controls = [state] if chance.random() < 0.3 else []
        entry = encoder.entry("cn=Müller %d".encode() % number, attributes)
        parts.append(encoder.message(NUMBER, entry, controls))
        if chance.random() < 0.1:
            parts.append(encoder.message(NUMBER, encoder.reference(b"ldap://dc2/dc=corp")))
        if chance.random() < 0.1:
            parts.append(encoder.message(NUMBER, encoder.intermediate(chance.randbytes(9))))
    controls = [encoder.paging(chance.randbytes(chance.randrange(3)))]
    parts.append(encoder.message(NUMBER, encoder.done(chance.choice([0, 0, 0, 4])), controls))
    return b"".join(parts)


def test_whatever_a_server_says_is_decoded_as_ldap3_decodes_it():
    """Promise 2: entries, controls on them, references and results, cut anywhere on the way."""
    chance, over = random.Random(1), opened(ours=True)
    for _ in range(ANSWERS):
        data = some_answer(chance)
        ours = answer(Arriving(data, chance), ours=True, over=over)
        assert ours == answer(Arriving(data, chance), ours=False), data.hex()


def test_what_is_damaged_is_refused_or_read_as_it_stands():
    """Promise 2: bits flipped, bytes lost or put in; never misread, and never without an end."""
    chance, accepted, over = random.Random(2), 0, opened(ours=True)
    for number in range(DAMAGED):
        data = bytearray(some_answer(chance))
        place = chance.randrange(len(data))
        if number % 3 == 0:
            del data[place : place + chance.randrange(1, 4)]
        elif number % 3 == 1:
            data[place:place] = chance.randbytes(chance.randrange(1, 4))
        else:
            data[place] ^= 1 << chance.randrange(8)
        arriving = Arriving(bytes(data), chance)
        ours = refused(lambda socket=arriving: answer(socket, ours=True, over=over))
        if ours is not None:
            accepted += 1
            read = bytes(data[: len(data) - sum(map(len, arriving.pieces))])
            assert ours == answer(Arriving(read), ours=False), data.hex()
    assert 0 < accepted < DAMAGED / 3


def test_attributes_that_are_expected_and_missing_are_not_looked_for_behind_the_end():
    """Each message comes alone, as over TLS: there is no byte behind it."""
    encoder, socket = Encoder(), Arriving(b"")
    several = {b"cn": [b"Ann"], b"mail": [b"ann@corp.example"], b"title": [b"Engineer"]}
    for attributes in (several, {b"cn": [b"Ben"]}, {b"title": [b"Chair"]}, several):
        socket.pieces.append(encoder.message(NUMBER, encoder.entry(b"cn=X", attributes)))
    socket.pieces.append(encoder.message(NUMBER, encoder.done()))
    found = [each["values"] for each in answer(socket, ours=True)[:4]]
    expected = {name.decode(): values for name, values in several.items()}
    assert found == [expected, {"cn": [b"Ben"]}, {"title": [b"Chair"]}, expected]


def test_an_attribute_is_expected_where_the_server_sends_it():
    """Expected elsewhere, everything behind it would be decoded step by step for ever."""
    words, encoder = messages.Vocabulary(), Encoder()
    for names in ((b"cn", b"mail"), (b"cn", b"title", b"mail", b"uid"), (b"sn", b"cn")):
        entry = encoder.entry(b"cn=X", {name: [b"x"] for name in names})
        messages.decode_entry(entry, 0, words)
    assert [name for name, *_ in words.expected] == ["sn", "cn", "title", "mail", "uid"]


def test_what_is_expected_of_a_server_has_a_bound():
    words, encoder = messages.Vocabulary(), Encoder()
    for number in range(1_000):
        entry = encoder.entry(b"cn=X", {b"x%d" % number: [b"x"], b"y%d" % number * 50: [b"y"]})
        messages.decode_entry(entry, 0, words)
    assert len(words.expected) == messages.MAX_EXPECTED
    assert max(len(name) for name, *_ in words.expected) < messages.MAX_EXPECTED


def test_a_part_of_an_answer_is_none():
    """R2: cut behind every byte of it."""
    data = some_answer(random.Random(3))
    for end in range(len(data)):
        with pytest.raises(LDAPSessionTerminatedByServerError):
            answer(Arriving(data[:end]), ours=True)


def test_a_message_too_big_to_be_one_is_refused_before_it_is_kept(monkeypatch):
    """A memory bomb, or framing that was lost."""
    with pytest.raises(LDAPSocketReceiveError, match="are taken"):
        answer(Arriving(b"\x30\x84\x7f\xff\xff\xff"), ours=True)
    monkeypatch.setattr(messages, "MAX_MESSAGE_BYTES", 400)
    encoder = Encoder()
    photo = encoder.message(NUMBER, encoder.entry(b"cn=Ann", {b"jpegPhoto": [b"x" * 500]}))
    with pytest.raises(LDAPSocketReceiveError, match="are taken"):
        answer(Arriving(photo), ours=True)


def test_what_nests_without_end_is_refused():
    data = b""
    for _ in range(3_000):
        data = Encoder().element(0x30, data)
    message = Encoder().message(NUMBER, Encoder().element(0x65, data))
    with pytest.raises(LDAPSocketReceiveError, match="too deeply"):
        answer(Arriving(message), ours=True)


def test_nothing_is_kept_for_the_next_question():
    """Safety 16: bytes behind the answer to StartTLS would be believed as if they came over TLS."""
    encoder = Encoder()
    done = encoder.message(NUMBER, encoder.done())
    bind = encoder.message(NUMBER + 1, encoder.element(0x61, b"\x0a\x01\x00\x04\x00\x04\x00"))
    socket = Arriving(done + bind)
    with pytest.raises(LDAPSocketReceiveError, match="more than was asked for"):
        answer(socket, ours=True)
    assert socket.closed


def test_an_answer_to_another_question_is_refused():
    encoder = Encoder()
    with pytest.raises(LDAPSocketReceiveError, match="message 9 answers nothing"):
        answer(Arriving(encoder.message(9, encoder.entry(b"cn=Ann", {}))), ours=True)


def test_a_server_that_hangs_up_says_why():
    encoder = Encoder()
    notice = encoder.message(0, encoder.notice(b"shutting down"))
    with pytest.raises(LDAPSessionTerminatedByServerError, match="shutting down"):
        answer(Arriving(notice), ours=True)


def test_a_server_that_says_nothing_is_not_waited_for():
    class Silent(Arriving):
        def recv(self, _: int) -> bytes:
            raise TimeoutError

    silent = Silent(b"")
    with pytest.raises(LDAPResponseTimeoutError, match="within 3 s"):
        answer(silent, ours=True)
    assert silent.closed
