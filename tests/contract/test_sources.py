"""What every source promises, whatever it is: `ports.DirectorySource`."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import MarkError, SourceError, SourceUnavailableError
from provisioning.domain.people import RawPerson
from tests.contract.conftest import ATTRIBUTES, PEOPLE


def test_everyone_is_read_once_with_a_proof(kind):
    """R2: the immutable id is the anchor, and the proof counts what was read."""
    snapshot = kind.whole.read()
    people = list(snapshot)
    assert sorted(person.anchor for person in people) == sorted(e.entry_uuid for e in PEOPLE)
    assert (snapshot.proof.entries, snapshot.proof.removals_proven) == (12, True)


def test_people_come_with_the_attributes_that_were_asked_for(kind):
    """Names as they were asked for, values as text, a place for people to read."""
    for person in kind.whole.read():
        assert isinstance(person, RawPerson)
        assert set(ATTRIBUTES) <= set(person.attributes)
        assert person.where.startswith("uid=")
        assert person.attributes["mail"][0].endswith("@corp.example")


def test_reading_twice_is_reading_the_same(kind):
    """R3: equal hashes, so that nobody is looked at twice for nothing."""

    def hashes():
        return {person.anchor: person.raw_hash() for person in kind.whole.read()}

    assert hashes() == hashes()


def test_there_is_no_proof_before_the_end(kind):
    """R2: half a reading proves nothing."""
    snapshot = kind.whole.read()
    next(iter(snapshot))
    with pytest.raises(RuntimeError, match="before its end"):
        _ = snapshot.proof


def test_a_reading_that_is_cut_short_raises(kind):
    """R2: the iteration raises; its end never lies."""
    with pytest.raises(SourceError):
        list(kind.cut.read())


def test_a_source_that_is_away_is_unavailable_and_its_check_says_so(kind):
    """R2, exit code 69: an error of its own kind; a check reports and does not raise."""
    if kind.away is None:
        return
    with pytest.raises(SourceUnavailableError):
        list(kind.away.read())
    assert kind.away.check().failed


def test_a_check_reports_steps_and_a_few_people(kind):
    """Pages and commands: what was tried and how it ended, five people at most."""
    report = kind.whole.check()
    assert report.steps
    assert not report.failed
    assert 0 < len(report.sample) <= 5


def test_a_source_has_the_name_it_was_configured_with(kind):
    assert kind.whole.name == "corp"


def test_a_mark_from_elsewhere_is_refused(kind):
    """R2: whoever cannot tell what changed since a mark says so; everyone is read then."""
    with pytest.raises(MarkError):
        list(kind.whole.changes("of another server"))


def test_somebody_is_found_by_id_and_by_place(kind):
    """R9: one person alone, with the sentence that says why a run would read them."""
    [person] = [raw for raw in kind.whole.read() if raw.attributes["uid"] == (PEOPLE[3].uid,)]
    for words in (person.anchor, person.where):
        [found] = kind.whole.find(words)
        assert (found.raw, found.in_scope) == (person, True)
        assert found.scope
    assert not kind.whole.find("nobody by this name")


def test_a_check_shows_everyone_who_was_read(kind):
    """Promise 6: steps that look at people see them all."""
    seen = []
    assert not kind.whole.check(seen.append).failed
    assert len(seen) == len(PEOPLE)
