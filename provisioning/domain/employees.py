"""Employees and the one table that says how their state may change (S).

state                  change        becomes
---------------------  ------------  -----------
(new), waiting         invite        invited
(new)                  wait          waiting
invited                accept        active
invited                expire        waiting
invited                lose_address  waiting
waiting, invited       remove        (gone: only who was never active, S2)
waiting, invited       dismiss       dismissed
active                 dismiss       dismissed
awaiting_confirmation  accept        active
awaiting_confirmation  dismiss       dismissed
dismissed              return        active       (an account is bound, S6)
dismissed              invite        invited      (none is bound)
dismissed              wait          waiting      (no seat)
waiting                return        active       (hired back while seats were full)
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from provisioning.domain.errors import TransitionError


class EmployeeState(StrEnum):
    """Where an employee stands (S1)."""

    WAITING = "waiting"
    INVITED = "invited"
    ACTIVE = "active"
    DISMISSED = "dismissed"
    AWAITING_CONFIRMATION = "awaiting_confirmation"


class WaitingReason(StrEnum):
    """Why somebody waits; only `no_seat` and `hired_back` are served by themselves (L3, I4)."""

    NO_SEAT = "no_seat"
    HIRED_BACK = "hired_back"
    LAPSED = "lapsed"
    TAKEN_OUT = "taken_out"
    NO_USABLE_ADDRESS = "no_usable_address"
    UNVERIFIED_DOMAIN = "unverified_domain"


SERVED_BY_ITSELF = frozenset({WaitingReason.NO_SEAT, WaitingReason.HIRED_BACK})
"""Reasons that a free seat cures."""


class Change(StrEnum):
    """What can happen to an employee."""

    INVITE = "be_invited"
    WAIT = "wait"
    ACCEPT = "accept"
    EXPIRE = "expire"
    LOSE_ADDRESS = "lose_the_address"
    REMOVE = "be_removed"
    DISMISS = "be_dismissed"
    RETURN = "return"


_S = EmployeeState

TRANSITIONS: Mapping[tuple[EmployeeState | None, Change], EmployeeState | None] = {
    (None, Change.INVITE): _S.INVITED,
    (None, Change.WAIT): _S.WAITING,
    (_S.WAITING, Change.INVITE): _S.INVITED,
    (_S.WAITING, Change.RETURN): _S.ACTIVE,
    (_S.WAITING, Change.REMOVE): None,
    (_S.WAITING, Change.DISMISS): _S.DISMISSED,
    (_S.INVITED, Change.ACCEPT): _S.ACTIVE,
    (_S.INVITED, Change.EXPIRE): _S.WAITING,
    (_S.INVITED, Change.LOSE_ADDRESS): _S.WAITING,
    (_S.INVITED, Change.REMOVE): None,
    (_S.INVITED, Change.DISMISS): _S.DISMISSED,
    (_S.ACTIVE, Change.DISMISS): _S.DISMISSED,
    (_S.AWAITING_CONFIRMATION, Change.ACCEPT): _S.ACTIVE,
    (_S.AWAITING_CONFIRMATION, Change.DISMISS): _S.DISMISSED,
    (_S.DISMISSED, Change.RETURN): _S.ACTIVE,
    (_S.DISMISSED, Change.INVITE): _S.INVITED,
    (_S.DISMISSED, Change.WAIT): _S.WAITING,
}
"""The whole of it: what is not here does not happen. None is an employee who is not there."""


def state_after(state: EmployeeState | None, change: Change) -> EmployeeState | None:
    """Return the state a change leads to.

    >>> state_after(EmployeeState.INVITED, Change.ACCEPT)
    <EmployeeState.ACTIVE: 'active'>

    Raises:
        TransitionError: The table has no such row.
    """
    try:
        return TRANSITIONS[state, change]
    except KeyError:
        raise TransitionError(state or "unknown", change) from None
