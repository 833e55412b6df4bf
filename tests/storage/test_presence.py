"""Who was seen in a reading: kept on disk, compared in order, gone afterwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provisioning.storage.presence import Presence

anchors = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@given(seen=st.lists(anchors), known=st.sets(anchors))
def test_the_absent_are_the_known_who_were_not_read(seen, known):
    """R2, D1: in any order of reading, at any letter Unicode has."""
    with Presence() as presence:
        presence.add(seen[:2])
        presence.add(seen[2:])
        assert list(presence.absent(sorted(known))) == sorted(known - set(seen))
        assert presence.twice() == sorted(each for each in set(seen) if seen.count(each) > 1)
        assert all(each in presence for each in seen)
        assert not any(each in presence for each in known - set(seen))
