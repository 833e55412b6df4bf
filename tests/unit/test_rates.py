"""How often is too often, with a clock that obeys."""

from __future__ import annotations

import threading

import pytest

from provisioning.services.rates import MANY_KEYS, RateLimiter


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_as_many_as_allowed_pass_and_the_next_is_told_how_long(clock):
    """Safety 18: all at once, too; the number is what Retry-After says."""
    limiter = RateLimiter(3, seconds=10, clock=clock)
    assert [limiter.check("a") for _ in range(4)] == [None, None, None, 10]
    clock.now += 3.5
    assert limiter.check("a") == 7
    clock.now += 6.5
    assert limiter.check("a") is None


def test_who_waits_as_long_as_told_passes(clock):
    """What is refused is not counted: asking again does not make it longer."""
    limiter = RateLimiter(2, seconds=10, clock=clock)
    limiter.check("a")
    clock.now += 4
    limiter.check("a")
    for _ in range(20):
        wait = limiter.check("a")
        assert wait is not None
    clock.now += wait
    assert limiter.check("a") is None
    assert limiter.check("a") is not None


def test_one_key_does_not_wait_for_another(clock):
    limiter = RateLimiter(1, seconds=10, clock=clock)
    assert limiter.check("a") is None
    assert limiter.check("b") is None
    assert limiter.check("a") == 10


def test_keys_nobody_hears_of_any_more_are_forgotten(clock):
    """An attacker with many addresses fills no memory."""
    limiter = RateLimiter(1, seconds=10, clock=clock)
    for number in range(MANY_KEYS):
        limiter.check(f"{number}")
    clock.now += 10
    limiter.check("a")
    assert len(limiter._windows.storage._moments) == 1


def test_threads_share_what_is_allowed(clock):
    """No more pass than are allowed, whoever asks."""
    limiter, passed = RateLimiter(100, seconds=10, clock=clock), []

    def ask():
        passed.extend(limiter.check("a") is None for _ in range(100))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert passed.count(True) == 100
