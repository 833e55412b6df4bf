"""Findings: what an administrator should look at, how grave it is, and what helps (E3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from provisioning.domain.addresses import AddressDifference, address_key, difference
from provisioning.domain.employees import EmployeeState


class FindingKind(StrEnum):
    """What can be wrong (E3)."""

    LOGIN_DIFFERS_FROM_CONTACT = "login_differs_from_contact"
    LOGIN_DIFFERS_FROM_DIRECTORY = "login_differs_from_directory"
    CONTACT_DIFFERS_FROM_DIRECTORY = "contact_differs_from_directory"
    MAILBOX_USED_AS_LOGIN = "mailbox_used_as_login"
    MAILBOX_DIFFERS = "mailbox_differs"
    SAME_ADDRESS_TWO_ACCOUNTS = "same_address_two_accounts"
    ADDRESS_HELD_BY_DISMISSED = "address_held_by_dismissed"
    DUPLICATE_CONTACT = "duplicate_contact"
    DUPLICATE_PERSON = "duplicate_person"
    UNBOUND_SIGN_IN = "unbound_sign_in"
    INVITATION_ADDRESS_OUTDATED = "invitation_address_outdated"
    INVITATION_STALE = "invitation_stale"
    DEPARTED_STILL_ACTIVE = "departed_still_active"
    ORPHAN = "orphan"
    UNVERIFIED_DOMAIN = "unverified_domain"
    NO_USABLE_ADDRESS = "no_usable_address"
    OVER_SEAT_LIMIT = "over_seat_limit"
    BLOCKED_DELETION = "blocked_deletion"
    RETURN_HELD = "return_held"
    REMOVALS_HELD = "removals_held"
    MISSING_FROM_SOURCE = "missing_from_source"
    UNREADABLE_ENTRY = "unreadable_entry"


class Severity(StrEnum):
    """How soon somebody should look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


_GRAVE = frozenset(
    {
        FindingKind.DUPLICATE_PERSON,
        FindingKind.DEPARTED_STILL_ACTIVE,
        FindingKind.RETURN_HELD,
        FindingKind.REMOVALS_HELD,
        FindingKind.OVER_SEAT_LIMIT,
        FindingKind.UNBOUND_SIGN_IN,
        FindingKind.ADDRESS_HELD_BY_DISMISSED,
    }
)
_MILD = frozenset({FindingKind.INVITATION_STALE, FindingKind.MAILBOX_DIFFERS})


def severity(kind: FindingKind) -> Severity:
    """Return how grave a kind is: high locks somebody out or leaves somebody inside."""
    if kind in _GRAVE:
        return Severity.HIGH
    return Severity.LOW if kind in _MILD else Severity.MEDIUM


REMEDIES: Mapping[FindingKind, str] = {
    FindingKind.LOGIN_DIFFERS_FROM_CONTACT: "Ask the person; only they can change their login.",
    FindingKind.LOGIN_DIFFERS_FROM_DIRECTORY: "Ask the person; only they can change their login.",
    FindingKind.CONTACT_DIFFERS_FROM_DIRECTORY: "Set the contact e-mail to the directory mail, "
    "or correct the directory.",
    FindingKind.MAILBOX_USED_AS_LOGIN: "Ask the person to sign in with the invited address.",
    FindingKind.MAILBOX_DIFFERS: "Correct the mailbox in the directory.",
    FindingKind.SAME_ADDRESS_TWO_ACCOUNTS: "Ask the person which of the two they use.",
    FindingKind.ADDRESS_HELD_BY_DISMISSED: "Free the address of the dismissed employee.",
    FindingKind.DUPLICATE_CONTACT: "Change one of the contact e-mails.",
    FindingKind.DUPLICATE_PERSON: "Say on the Matching page who they are, or correct the "
    "directory; nobody was invited.",
    FindingKind.UNBOUND_SIGN_IN: "Tell the person which address opens this intranet.",
    FindingKind.INVITATION_ADDRESS_OUTDATED: "Run the source again: the next run invites anew.",
    FindingKind.INVITATION_STALE: "Invite again, or free its seat: on the Waiting list page, or "
    "with `usher seats stale --remove`.",
    FindingKind.DEPARTED_STILL_ACTIVE: "Approve what is held, or correct the directory.",
    FindingKind.ORPHAN: "Dismiss them, or add them to a source.",
    FindingKind.UNVERIFIED_DOMAIN: "Add the domain to people.verified_domains, "
    "or correct the address in the directory.",
    FindingKind.NO_USABLE_ADDRESS: "Give them a mail address in the directory.",
    FindingKind.OVER_SEAT_LIMIT: "Buy seats or dismiss people; nobody new is invited meanwhile.",
    FindingKind.BLOCKED_DELETION: "Delete or reassign the tasks, then the invitation.",
    FindingKind.RETURN_HELD: "Ask whoever dismissed them: only their word, or an "
    "administrator's, brings them back. Approve or reject what is held.",
    FindingKind.REMOVALS_HELD: "Approve what is held if these people left; else reject it, and "
    "look at what the provider sends.",
    FindingKind.MISSING_FROM_SOURCE: "Nothing, if they left; else bring the entry back.",
    FindingKind.UNREADABLE_ENTRY: "Correct the entry in the directory.",
}
"""What helps, in one sentence, for every kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something to look at, with its evidence; equal findings are the same finding."""

    kind: FindingKind
    subject: str = ""
    """What tells two findings of one kind on one employee apart: an address, an anchor."""

    reason: str = ""
    """A reason code where one can be told (E4)."""

    evidence: tuple[tuple[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressFacts:
    """The addresses of one employee and who else has them, as the registry knows them."""

    state: EmployeeState
    contact: str | None = None
    directory: str | None = None
    mailbox: str | None = None
    login: str | None = None
    name: str | None = None
    """Given and family name: tells where annaweber divides (E4)."""

    aliases: tuple[str, ...] = ()
    old_domains: tuple[str, ...] = ()
    """Mail domains the company had before (E4)."""

    invited_address: str | None = None
    invited_at: datetime | None = None
    contact_shared_with: tuple[str, ...] = ()
    """Display names of seated employees with the same contact e-mail."""

    directory_held_by: tuple[str, ...] = ()
    """Display names of dismissed employees whose contact e-mail is this directory mail."""

    sources: int = 1
    """Sources that vouch for them; 0 makes an orphan of anyone still inside."""

    stale_before: datetime | None = None
    """Invitations sent before this moment are stale."""


def address_findings(facts: AddressFacts) -> Iterator[Finding]:
    """Yield what the addresses of one employee give to look at.

    state      facts                                    finding
    ---------  ---------------------------------------  ------------------------------
    any        contact is not the directory mail        contact_differs_from_directory
    any        mailbox is not the directory mail        mailbox_differs
    any        login is not the contact                 login_differs_from_contact
    any        login is not the directory mail          login_differs_from_directory
    any        login is the mailbox, the mail is not    mailbox_used_as_login
    invited    invited at another address               invitation_address_outdated
    invited    letter older than the limit              invitation_stale
    not gone   somebody else has the same contact       duplicate_contact
    not in     a dismissed one holds the address        address_held_by_dismissed
    active     no source vouches                        orphan

    The dismissed are nobody's to look at. Case-only and known aliases are not findings (E4).
    """
    if facts.state is EmployeeState.DISMISSED:
        return
    contact, mailbox = ("contact", facts.contact), ("mailbox", facts.mailbox)
    login, directory = ("login", facts.login), ("directory", facts.directory)
    pairs = (
        (FindingKind.CONTACT_DIFFERS_FROM_DIRECTORY, contact, directory),
        (FindingKind.MAILBOX_DIFFERS, mailbox, directory),
        (FindingKind.LOGIN_DIFFERS_FROM_CONTACT, login, contact),
        (FindingKind.LOGIN_DIFFERS_FROM_DIRECTORY, login, directory),
    )
    for kind, one, other in pairs:
        yield from _differs(kind, one, other, facts)
    if _is(facts.login, facts.mailbox) and not _is(facts.mailbox, facts.directory):
        yield Finding(kind=FindingKind.MAILBOX_USED_AS_LOGIN, evidence=_pairs(login=facts.login))
    yield from _invitation_findings(facts)
    yield from _conflict_findings(facts)


def _invitation_findings(facts: AddressFacts) -> Iterator[Finding]:
    if facts.state is not EmployeeState.INVITED:
        return
    yield from _differs(
        FindingKind.INVITATION_ADDRESS_OUTDATED,
        ("invited", facts.invited_address),
        ("directory", facts.directory),
        replace(facts, aliases=()),
    )
    if facts.invited_at and facts.stale_before and facts.invited_at < facts.stale_before:
        yield Finding(
            kind=FindingKind.INVITATION_STALE,
            evidence=_pairs(invited_at=facts.invited_at.isoformat()),
        )


def _conflict_findings(facts: AddressFacts) -> Iterator[Finding]:
    if facts.contact_shared_with:
        yield Finding(
            kind=FindingKind.DUPLICATE_CONTACT,
            evidence=_pairs(contact=facts.contact, also=", ".join(facts.contact_shared_with)),
        )
    if facts.directory_held_by and facts.state is not EmployeeState.ACTIVE:
        yield Finding(
            kind=FindingKind.ADDRESS_HELD_BY_DISMISSED,
            evidence=_pairs(address=facts.directory, holder=", ".join(facts.directory_held_by)),
        )
    if facts.sources == 0 and facts.state is EmployeeState.ACTIVE:
        yield Finding(kind=FindingKind.ORPHAN)


def _differs(
    kind: FindingKind,
    one: tuple[str, str | None],
    other: tuple[str, str | None],
    facts: AddressFacts,
) -> Iterator[Finding]:
    """Yield a finding if two addresses differ; each comes with what it is to the person."""
    if not one[1] or not other[1]:
        return
    reason = difference(
        one[1], other[1], aliases=facts.aliases, old_domains=facts.old_domains, name=facts.name
    )
    if reason in (None, AddressDifference.CASE_ONLY, AddressDifference.ALIAS):
        return
    yield Finding(kind=kind, reason=str(reason), evidence=_pairs(**dict((one, other))))


def _is(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and address_key(one) == address_key(other)


def _pairs(**values: str | None) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in values.items() if value is not None)
