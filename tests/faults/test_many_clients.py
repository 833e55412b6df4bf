"""Many clients at once, for long."""

from __future__ import annotations

from tests.kit.crowding import crowd, served_crowd


def test_ten_thousand_patches_of_sixteen_clients_are_all_kept(tmp_path, database_url):
    """Safety 6: nothing lost, no 412 that nobody asked for, and no 5xx."""
    with served_crowd(tmp_path, database_url) as make:
        crowd(make, 10_000, seed=2)
