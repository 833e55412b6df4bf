"""Whatever happens in whatever order, the rules hold after every step (S, P, I, L, D, R)."""

from __future__ import annotations

import pytest

from tests.kit.any_order import hold_in_any_order


@pytest.mark.timeout(600)
def test_2000_steps_in_any_order(new_sqlite):
    """Seats, people, letters and timelines after each of them; `make faults` does 100,000."""
    hold_in_any_order(new_sqlite, examples=40, steps=50, seed=1)
