"""Snapshots: everyone at one moment, proven complete, or nothing (R2)."""

import pytest

from provisioning.domain.errors import SourceError
from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import DirectorySnapshot, SnapshotProof

ANN, BOB = (RawPerson(name, "ou=Berlin", {}) for name in ("ann", "bob"))


def reading(*, cut=False):
    """Two people, then the proof - or an end in the middle."""
    yield ANN
    if cut:
        raise SourceError("reading stopped: sizeLimitExceeded")
    yield BOB
    return SnapshotProof(entries=2, detail="to the end")


def test_whoever_reads_to_the_end_has_everybody_and_the_proof():
    """R2: the people first, what proves them last."""
    snapshot = DirectorySnapshot(reading())
    assert list(snapshot) == [ANN, BOB]
    assert snapshot.proof == SnapshotProof(entries=2, detail="to the end")
    assert (snapshot.proof.pages, snapshot.proof.removals_proven) == (1, True)


def test_nothing_is_proven_before_the_end():
    """R2: neither before the first person nor after some of them."""
    snapshot = DirectorySnapshot(reading())
    with pytest.raises(RuntimeError, match="no proof before its end"):
        _ = snapshot.proof
    assert next(iter(snapshot)) == ANN
    with pytest.raises(RuntimeError, match="no proof before its end"):
        _ = snapshot.proof


def test_a_reading_that_was_cut_short_is_an_error_and_proves_nothing():
    """R2: never "the others left"."""
    snapshot = DirectorySnapshot(reading(cut=True))
    with pytest.raises(SourceError, match="sizeLimitExceeded"):
        list(snapshot)
    with pytest.raises(RuntimeError, match="no proof before its end"):
        _ = snapshot.proof


def test_a_snapshot_read_twice_proves_nothing_the_second_time():
    """R2: an empty second look is not an empty company."""
    snapshot = DirectorySnapshot(reading())
    list(snapshot)
    assert list(snapshot) == []
    with pytest.raises(RuntimeError, match="no proof before its end"):
        _ = snapshot.proof
