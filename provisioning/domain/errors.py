"""Every error this system raises on purpose: facts in attributes, words once, a stable code."""

from __future__ import annotations

from typing import ClassVar

from provisioning.domain.brakes import Brake


class ProvisioningError(Exception):
    """The root of every error this system raises on purpose."""

    code: ClassVar[str] = "provisioning_error"
    """Stable and machine-readable; shown in logs, reports and SCIM details."""


class ConfigurationError(ProvisioningError):
    """A setting can never work; the sentence names it."""

    code = "bad_configuration"


class RuleError(ConfigurationError):
    """A rule of a mapping can never work; the field, and the place in its expression, are told."""

    code = "bad_rule"

    def __init__(self, field: str, problem: str, *, line: int = 0, column: int = 0) -> None:
        place = f"line {line}, column {column}: " if line else ""
        super().__init__(f"mapping.{field}: {place}{problem}")
        self.field = field
        self.problem = problem
        self.line = line
        self.column = column


class SourceError(ProvisioningError):
    """The source's answer is not a complete snapshot: nothing may be concluded from it (R2)."""

    code = "incomplete"


class SourceUnavailableError(SourceError):
    """The source does not answer at all."""

    code = "source_unavailable"


class MarkError(SourceError):
    """The changes since a mark cannot be told, or not be trusted: everyone has to be read."""

    code = "mark"


class DatabaseUnavailableError(ProvisioningError):
    """The database does not answer."""

    code = "database_unavailable"


class MappingError(ProvisioningError):
    """One person's attributes cannot be mapped; the others can."""

    code = "mapping"

    def __init__(self, attribute: str, problem: str) -> None:
        super().__init__(f"{attribute}: {problem}")
        self.attribute = attribute
        self.problem = problem


class ExpressionError(ProvisioningError):
    """A mapping expression does not compile or cannot be evaluated."""

    code = "expression"

    def __init__(self, problem: str, *, line: int = 0, column: int = 0) -> None:
        place = f"line {line}, column {column}: " if line else ""
        super().__init__(f"{place}{problem}")
        self.problem = problem
        self.line = line
        """From 1, in the text of the expression; 0: it is about all of it."""
        self.column = column


class TransitionError(ProvisioningError):
    """The state of an employee does not allow this change (S1)."""

    code = "transition"

    def __init__(self, state: str, change: str) -> None:
        super().__init__(f"an employee who is {state} cannot {change.replace('_', ' ')}")
        self.state = state
        self.change = change


class SeatLimitError(ProvisioningError):
    """The licence has no seat left for one more employee."""

    code = "seat_limit"

    def __init__(self, *, limit: int, taken: int) -> None:
        super().__init__(f"all {limit} seats are taken ({taken} in use)")
        self.limit = limit
        self.taken = taken


class NotFoundError(ProvisioningError):
    """There is no such run, person, source or token."""

    code = "not_found"

    def __init__(self, what: str, key: object, *, hint: str = "") -> None:
        super().__init__(f"there is no {what} {key}" + (f"; {hint}" if hint else ""))
        self.what = what
        self.key = key


class UniquenessError(ProvisioningError):
    """A visible resource of this source already has this userName or externalId."""

    code = "uniqueness"

    def __init__(self, *, what: str, attribute: str, value: str, existing_id: str) -> None:
        super().__init__(
            f'{attribute} "{value}" already belongs to another {what} (id {existing_id}). '
            f"If this is the same {what}, send PATCH to that id."
        )
        self.attribute = attribute
        self.value = value
        self.existing_id = existing_id


class GroupLoopError(ProvisioningError):
    """A group would contain itself, directly or through others."""

    code = "group_loop"

    def __init__(self, group_id: str) -> None:
        super().__init__(
            f"the group {group_id} would contain itself; nobody was added to it. "
            "Leave out the group that leads back to it."
        )
        self.group_id = group_id


class StaleWriteError(ProvisioningError):
    """Somebody else wrote first; start over from what is there now."""

    code = "stale_write"


class HeldError(ProvisioningError):
    """A guard or a missing release stops this until an administrator decides."""

    code = "held"


class BrakeError(ProvisioningError):
    """An administrator pulled a brake that stops this; nothing was done, try when it is off."""

    code = "brake"

    def __init__(self, brake: Brake, by: str, comment: str) -> None:
        super().__init__(
            f'{by} pulled the brake {brake.value}: "{comment}". Nothing was done here; it can be '
            f"when `usher brake off {brake.value}` has been said."
        )
        self.brake = brake


class StoppedError(ProvisioningError):
    """The process was told to end in the middle; what is left is resumed, nothing is lost (R5)."""

    code = "stopped"


class PausedError(ProvisioningError):
    """The job is paused on every node; the sentence says by whom and why."""

    code = "paused"


class DecidedError(ProvisioningError):
    """Somebody decided before, or what is held is not what was shown: nothing was done."""

    code = "decided"


class RunStateError(ProvisioningError):
    """The run is not in a state that allows this."""

    code = "run_state"

    def __init__(self, run: int, state: str, wanted: str) -> None:
        super().__init__(f"run {run} is {state} and cannot be {wanted}")
        self.run = run
        self.state = state
        self.wanted = wanted


class DigestMismatchError(ProvisioningError):
    """The plan that was shown is not the plan that is stored (R4)."""

    code = "digest_mismatch"


class BusyError(ProvisioningError):
    """Another process is working on the same source; nothing was done here, try again later."""

    code = "busy"


class InvitationError(ProvisioningError):
    """The invitation link does not open anything; the reason says why."""

    code = "invitation"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class MatchError(ProvisioningError):
    """A decision of the matching queue cannot be done (any more); the sentence says why (P5)."""

    code = "match"


class NotInvitableError(ProvisioningError):
    """Somebody cannot be invited again, or not yet; the sentence says why."""

    code = "not_invitable"


class NotInLineError(ProvisioningError):
    """Somebody is not on the waiting list, or nothing a free seat cures: nothing was changed."""

    code = "not_in_line"

    def __init__(self, name: str, state: str) -> None:
        super().__init__(
            f"{name} is not in the line for a seat ({state}). Nothing was changed; "
            "`usher waitlist` shows who is."
        )


class CredentialsError(ProvisioningError):
    """Address and password do not belong together; which of them is wrong stays unsaid."""

    code = "credentials"


class PasswordError(ProvisioningError):
    """The chosen password is not acceptable (A6)."""

    code = "password"


class TokenError(ProvisioningError):
    """A token is over already, or has been replaced; the sentence says which."""

    code = "token"


class DeliveryError(ProvisioningError):
    """A letter was not taken by the mail relay, or an event by the program it is for."""

    code = "delivery"

    def __init__(self, sentence: str, *, permanent: bool) -> None:
        super().__init__(sentence)
        self.permanent = permanent


class DeliveryInDoubtError(ProvisioningError):
    """A letter or an event was handed over and the answer was lost: it may have arrived."""

    code = "delivery_in_doubt"
