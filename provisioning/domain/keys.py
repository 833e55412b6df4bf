"""What two descriptions of one human may have in common (P2)."""

from __future__ import annotations

from enum import StrEnum


class CorrelationKey(StrEnum):
    """A key of correlation, strongest first. Never a name (P4)."""

    PAST_RESOURCE = "past_resource"
    EMPLOYEE_NUMBER = "employee_number"
    USER_NAME = "user_name"
    MAIL = "mail"

    @property
    def words(self) -> str:
        """The key as a sentence names it."""
        return self.replace("_", " ")


STRONG_KEYS = frozenset({CorrelationKey.PAST_RESOURCE, CorrelationKey.EMPLOYEE_NUMBER})
"""Keys that link by themselves; the others prove nothing, because they are given anew."""
