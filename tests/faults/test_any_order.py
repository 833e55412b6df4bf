"""100,000 steps in any order on each kind of database, the rules held after every one."""

from __future__ import annotations

import pytest

from tests.kit.any_order import hold_in_any_order

ROUNDS, EXAMPLES, STEPS = 5, 400, 50


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_20000_steps_on_sqlite(number, new_sqlite):
    """S, P, I, L, D, R: other steps in every round."""
    hold_in_any_order(new_sqlite, examples=EXAMPLES, steps=STEPS, seed=number)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_20000_steps_on_postgresql(number, new_postgresql):
    """S, P, I, L, D, R: other steps in every round."""
    hold_in_any_order(new_postgresql, examples=EXAMPLES, steps=STEPS, seed=number)
