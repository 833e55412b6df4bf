"""A person's facts written to the employee, the link and the addresses (P1, P5, P6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import Change, EmployeeState, state_after
from provisioning.domain.people import DirectoryId, Person
from provisioning.domain.places import place_key
from provisioning.domain.policy import ContactPolicy
from provisioning.domain.precedence import OWNED, Attribute, Voice, Word, has_the_say, settled
from provisioning.services.context import ServiceContext
from provisioning.storage.core import add_row, add_rows, execute, table_of, this
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import IntranetRecord, SourceRecord
from provisioning.storage.sources import Source

ADDRESSED = frozenset({"mail", "aliases", "mailbox"})
"""The fields of a person whose values are kept as rows of their own."""

_NEXT_SEQ = (
    update(table_of(IntranetRecord))
    .where(this(IntranetRecord.id))
    .values(next_employee_seq=IntranetRecord.next_employee_seq + 1)
    .returning(IntranetRecord.next_employee_seq)
)
_LINK = table_of(LinkRecord)
_BY_ID = update(_LINK).where(this(_LINK.c.source_id), this(_LINK.c.anchor))
REMEMBER = _BY_ID.where(_LINK.c.hidden.is_(False))
"""Writes the values it is given to one link that stands."""

_RETIRE = (
    update(_LINK).where(this(_LINK.c.employee_id), this(_LINK.c.source_id)).values(hidden=True)
)
_OTHERS = (
    select(SourceRecord.name, SourceRecord.authoritative, _LINK.c.anchor, _LINK.c.applied)
    .join(SourceRecord, SourceRecord.id == _LINK.c.source_id)
    .where(
        this(_LINK.c.employee_id),
        _LINK.c.source_id != bindparam("source_id"),
        _LINK.c.hidden.is_(False),
    )
    .order_by(_LINK.c.linked_at, _LINK.c.anchor)
)
_ADDRESS = table_of(AddressRecord)
_FORGET_ADDRESSES = delete(_ADDRESS).where(this(_ADDRESS.c.employee_id), this(_ADDRESS.c.source_id))
_LINKED = select(_LINK.c.employee_id).where(this(_LINK.c.source_id), this(_LINK.c.anchor))


def new_employee(
    session: Session, context: ServiceContext, person: Person, change: Change
) -> EmployeeRecord:
    """Add a newcomer to the registry in the state the change leads to (S1).

    The row is written with the next flush, when the caller has filled it in.
    """
    state = state_after(None, change)
    if state is None:
        raise ValueError("a newcomer needs a state")
    now = context.now()
    employee = EmployeeRecord(
        id=uuid4(),
        intranet_id=context.intranet_id,
        seq=_next_seq(session, context),
        state=state,
        state_reason="",
        state_since=now,
        created_at=now,
        waiting_since=now if state is EmployeeState.WAITING else None,
    )
    _write_owned(
        employee, settled(Word(Voice(person.id.source, authoritative=True), person), (), (), {})
    )
    session.add(employee)
    return employee


def apply_person(  # noqa: PLR0913 - what is known of a write saves statements
    session: Session,
    context: ServiceContext,
    employee: EmployeeRecord,
    source: Source,
    person: Person,
    *,
    raw_hash: str,
    mapping_version: str,
    addresses: bool = True,
    newcomer: bool = False,
    withdrawn: Collection[str] = (),
) -> None:
    """Write what the source says; a link is made, or stands again, if there is none (P1, P5).

    `addresses` is false when none of ADDRESSED differs from what was applied last: their rows
    are as they should be. `newcomer` says that the employee was made a moment ago and nobody
    was ever linked by this id; `withdrawn` names what the source said before and says no more.

    The login is nobody's but its owner's, and the contact e-mail follows the directory only
    if the policy says so (E2), and never by linking (P5).
    """
    session.flush()
    said: dict[str, Any] = {
        "applied": person.to_json(),
        "raw_hash": raw_hash,
        "mapping_version": mapping_version,
        "review_at": person.active_until,
        "missing_since": None,
        "missing_counted": False,
        "user_name": person.user_name,
        "user_name_key": address_key(person.user_name),
        "mail_key": address_key(person.mail) if person.mail else None,
        "employee_number_key": (
            address_key(person.employee_number) if person.employee_number else None
        ),
        "external_id": person.external_id,
        "where_key": place_key(person.where or person.id.value),
        "manager_key": place_key(person.manager or "") or None,
    }
    which = {"this_source_id": source.id, "this_anchor": person.id.value}
    linking = newcomer or execute(session, REMEMBER, **which, **said).rowcount == 0
    if linking:
        if not newcomer:
            execute(session, _RETIRE, this_employee_id=employee.id, this_source_id=source.id)
            # Whoever decided about the employee before the link has to look again.
            flag_modified(employee, "display_name")
        said |= {
            "employee_id": employee.id,
            "linked_at": context.now(),
            "authoritative": source.authoritative,
            "hidden": False,
        }
        if newcomer or execute(session, _BY_ID, **which, **said).rowcount == 0:
            id_ = {"source_id": source.id, "anchor": person.id.value}
            add_row(session, LinkRecord, **id_, **said)
    if newcomer:
        _add_addresses(session, employee, source, person)
        return
    owners = context.policy.owners
    # What the others say matters where this source has not the say, or says something no more.
    ceded = any(owner != source.name for owner in owners.values())
    asked = ceded or not source.authoritative or not frozenset(OWNED).isdisjoint(withdrawn)
    others = _other_words(session, source, employee) if asked else []
    mine = Voice(source.name, source.authoritative)
    _write_owned(employee, settled(Word(mine, person), withdrawn, others, owners))
    voices = [word.voice for word in others]
    if not linking and has_the_say(mine, voices, Attribute.MAIL, owners):
        _follow(context, employee, person)
    if addresses:
        execute(session, _FORGET_ADDRESSES, this_employee_id=employee.id, this_source_id=source.id)
        _add_addresses(session, employee, source, person)


def decides_on_mail(
    session: Session, context: ServiceContext, source: Source, employee: EmployeeRecord
) -> bool:
    """Whether a source has the say about where invitations go (P6, I5)."""
    mine = Voice(source.name, source.authoritative)
    others = [word.voice for word in _other_words(session, source, employee)]
    return has_the_say(mine, others, Attribute.MAIL, context.policy.owners)


def _other_words(session: Session, source: Source, employee: EmployeeRecord) -> list[Word]:
    """Return what every other source says of an employee; the oldest link first (P6)."""
    rows = execute(session, _OTHERS, this_employee_id=employee.id, source_id=source.id)
    return [
        Word(
            Voice(row.name, row.authoritative),
            Person.from_json(DirectoryId(row.name, row.anchor), row.applied),
        )
        for row in rows
    ]


def _write_owned(employee: EmployeeRecord, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(employee, name, value)
    employee.display_name_key = address_key(employee.display_name)


def _follow(context: ServiceContext, employee: EmployeeRecord, person: Person) -> None:
    """Let the contact e-mail follow the directory, if the policy says so (E2)."""
    follows = context.policy.contact_email is ContactPolicy.FOLLOW_DIRECTORY
    if follows and person.mail and employee.state is EmployeeState.ACTIVE:
        employee.contact_email = person.mail
        employee.contact_email_key = address_key(person.mail)


def _add_addresses(
    session: Session, employee: EmployeeRecord, source: Source, person: Person
) -> None:
    values = [("alias", alias) for alias in person.aliases]
    if person.mail:
        values.append(("directory", person.mail))
    if person.mailbox:
        values.append(("mailbox", person.mailbox))
    add_rows(
        session,
        AddressRecord,
        [
            {
                "employee_id": employee.id,
                "source_id": source.id,
                "role": role,
                "value": value,
                "value_key": address_key(value),
                "primary": role == "directory",
            }
            for role, value in values
        ],
    )


def linked_employee(session: Session, source: Source, anchor: str) -> UUID | None:
    """Return the employee a person of a source is linked to, if there is one."""
    which = {"this_source_id": source.id, "this_anchor": anchor}
    found: UUID | None = execute(session, _LINKED, **which).scalar()
    return found


def _next_seq(session: Session, context: ServiceContext) -> int:
    """Give out the next number of an employee; the row lock keeps it unique."""
    following = execute(session, _NEXT_SEQ, this_id=context.intranet_id).scalar()
    if following is None:
        raise LookupError("the intranet is gone")
    return int(following) - 1
