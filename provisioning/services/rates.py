"""How often is too often: counted in the memory of one process."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from math import ceil
from typing import ClassVar

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

MANY_KEYS = 1_000
"""Above so many, windows in which nothing happened any more are forgotten."""


class RateLimiter:
    """Lets `amount` pass in any `seconds`, for each key, and says how long the others wait.

    Every process counts for itself: with four workers, four times as many pass.
    """

    def __init__(
        self, amount: int, *, seconds: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with nothing counted.

        Args:
            amount: Hits that pass in any `seconds`, also all at once.
            seconds: The length of the window.
            clock: Tells seconds that only grow.
        """
        self._limit = RateLimitItemPerSecond(amount, seconds)
        self._windows = MovingWindowRateLimiter(_Windows(clock))
        self._clock = clock

    def check(self, key: str) -> int | None:
        """Count one for a key: None lets it pass, a number is the seconds to wait, 1 or more."""
        if self._windows.hit(self._limit, key):
            return None
        opens = self._windows.get_window_stats(self._limit, key).reset_time
        return max(1, ceil(opens - self._clock()))


class _Windows(MemoryStorage):
    """The moments of each key.

    The library's own storage starts a thread for nearly every hit, to tidy up: 400 us of CPU
    for a client that asks a few times a second.
    """

    STORAGE_SCHEME: ClassVar[list[str] | None] = None  # type: ignore[assignment, misc] # not to be found by a URI

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._moments: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` if so many still fit into the window."""
        now = self._clock()
        with self._lock:
            moments = self._moments.get(key)
            if moments is None:
                self._forget_quiet(now - expiry)
                moments = self._moments[key] = deque(maxlen=limit)
            full = len(moments) + amount > limit
            if full and (amount > limit or moments[amount - 1] > now - expiry):
                return False
            moments.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """Return when the oldest that still counts was counted, and how many do."""
        now = self._clock()
        with self._lock:
            counted = [at for at in self._moments.get(key, ()) if at > now - expiry]
        return (counted[0] if counted else now), len(counted)

    def _forget_quiet(self, since: float) -> None:
        if len(self._moments) >= MANY_KEYS:
            self._moments = {key: at for key, at in self._moments.items() if at[-1] > since}
