"""What an administrator decides once, as values the planner reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from provisioning.domain.addresses import address_key
from provisioning.domain.keys import CorrelationKey
from provisioning.domain.people import Person


class WhenFull(StrEnum):
    """What a newcomer without a seat gets (L3)."""

    WAIT = "wait"
    REJECT = "reject"


class StaleInvitations(StrEnum):
    """What becomes of invitations nobody accepted for long, when seats are short (L5)."""

    PROPOSE = "propose"
    REMOVE = "remove"


class ContactPolicy(StrEnum):
    """Whether a source may change the contact e-mail (E2)."""

    FLAG = "flag"
    FOLLOW_DIRECTORY = "follow_directory"


SMALLEST_LIMIT = 3
"""So few removals are never a mass removal, at any company size (D5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits and choices a plan is made under."""

    dismiss_percent: float = 5.0
    dismiss_count: int | None = None
    rolling_percent: float = 10.0
    disabled_grace_nights: int = 0
    missing_grace_nights: int = 1
    when_full: WhenFull = WhenFull.WAIT
    seat_priority: tuple[str, ...] = ()
    """Departments, as their source writes them, that come first on the waiting list (L3)."""

    stale_invitations: StaleInvitations = StaleInvitations.PROPOSE
    correlation_keys: tuple[CorrelationKey, ...] = tuple(CorrelationKey)
    """What an unlinked person is looked up by, in this order (P2)."""

    link_weak_keys: bool = False
    contact_email: ContactPolicy = ContactPolicy.FLAG
    verified_domains: tuple[str, ...] = ()
    """Lower case; empty means that any domain may be written to."""

    old_domains: tuple[str, ...] = ()
    """Lower case; domains the company had before, so that a difference is explained (E4)."""

    owners: Mapping[str, str] = field(default_factory=dict)
    """The source that owns an attribute, by attribute; the others have none (P6)."""

    protected: frozenset[str] = frozenset()
    """Folded user names, addresses or directory ids that no run may dismiss (D4)."""

    def __post_init__(self) -> None:
        """Refuse limits that cannot be meant."""
        for percent in (self.dismiss_percent, self.rolling_percent):
            if not 0 <= percent <= 100:  # noqa: PLR2004 - a percentage
                raise ValueError(f"a percentage lies between 0 and 100, got {percent}")
        if min(self.disabled_grace_nights, self.missing_grace_nights, self.dismiss_count or 0) < 0:
            raise ValueError("nights and counts cannot be negative")
        if len(set(self.correlation_keys)) != len(self.correlation_keys):
            raise ValueError("a correlation key is named once")

    def owner_of(self, attribute: str) -> str:
        """Return the source that owns an attribute; "" if none does."""
        return self.owners.get(attribute, "")

    def priority_of(self, department: str | None) -> int:
        """Return where a department comes on the waiting list; the lowest is the first (L3).

        >>> policy = Policy(seat_priority=("Board", "Sales"))
        >>> [policy.priority_of(one) for one in ("Sales", "Board", "Lab", None)]
        [1, 0, 2, 2]
        """
        if department in self.seat_priority:
            return self.seat_priority.index(department)
        return len(self.seat_priority)

    def removal_limit(self, seated: int) -> int:
        """Return how many of a source's seated people one run may remove (D5).

        >>> Policy().removal_limit(1240), Policy().removal_limit(10)
        (62, 3)
        >>> Policy(dismiss_count=20).removal_limit(1240)
        20
        """
        share = _share(seated, self.dismiss_percent)
        if self.dismiss_count is not None:
            share = min(share, self.dismiss_count)
        return max(SMALLEST_LIMIT, share)

    def rolling_limit(self, seated: int) -> int:
        """Return how many of a source's people may be removed within seven days (D5)."""
        return max(SMALLEST_LIMIT, _share(seated, self.rolling_percent))

    def may_write_to(self, mail: str) -> bool:
        """Whether the address lies in a verified domain, or none was named."""
        domain = mail.rpartition("@")[2].lower()
        return not self.verified_domains or domain in self.verified_domains

    def protects(self, person: Person) -> bool:
        """Whether somebody is on the break-glass list (D4)."""
        names = {person.user_name, person.mail or "", person.id.value}
        return any(address_key(name) in self.protected for name in names if name)


def _share(people: int, percent: float) -> int:
    """Return a percentage of people, rounded down; exact, as binary fractions are not.

    >>> _share(2750, 2.8), int(2750 * 2.8 / 100)
    (77, 76)
    """
    return int(people * Decimal(str(percent)) / 100)
