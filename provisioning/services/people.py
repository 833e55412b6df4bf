"""A person's facts written to the employee, the link and the addresses (P1, P5, P6)."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from provisioning.domain.addresses import address_key
from provisioning.domain.employees import Change, EmployeeState, state_after
from provisioning.domain.people import Person
from provisioning.domain.policy import ContactPolicy
from provisioning.services.context import ServiceContext
from provisioning.storage.models.employees import AddressRecord, EmployeeRecord, LinkRecord
from provisioning.storage.models.intranets import IntranetRecord, SourceRecord


def new_employee(
    session: Session, context: ServiceContext, person: Person, change: Change
) -> EmployeeRecord:
    """Add a newcomer to the registry in the state the change leads to (S1)."""
    state = state_after(None, change)
    if state is None:
        raise ValueError("a newcomer needs a state")
    now = context.now()
    employee = EmployeeRecord(
        intranet_id=context.intranet_id,
        seq=_next_seq(session, context),
        state=state,
        state_since=now,
        created_at=now,
        waiting_since=now if state is EmployeeState.WAITING else None,
    )
    _write_owned(context, employee, person)
    session.add(employee)
    session.flush()
    return employee


def apply_person(
    session: Session,
    context: ServiceContext,
    employee: EmployeeRecord,
    source: SourceRecord,
    person: Person,
    *,
    raw_hash: str,
    mapping_version: str,
) -> None:
    """Write what the source says; a link is made if there is none (P5).

    The login is nobody's but its owner's, and the contact e-mail follows the directory only
    if the policy says so (E2).
    """
    link = session.get(LinkRecord, (source.id, person.id.value))
    if link is None:
        _retire_older_links(session, employee, source)
        link = LinkRecord(
            source_id=source.id,
            anchor=person.id.value,
            employee_id=employee.id,
            linked_at=context.now(),
            authoritative=source.authoritative,
        )
        session.add(link)
    link.applied = person.to_json()
    link.raw_hash = raw_hash
    link.mapping_version = mapping_version
    link.review_at = person.active_until
    link.missing_since, link.missing_counted = None, False
    link.user_name = person.user_name
    link.user_name_key = address_key(person.user_name)
    link.mail_key = address_key(person.mail) if person.mail else None
    link.employee_number_key = (
        address_key(person.employee_number) if person.employee_number else None
    )
    link.external_id = person.external_id
    session.flush()
    if owns(session, source, employee):
        _write_owned(context, employee, person)
    _write_addresses(session, employee, source, person)


def _retire_older_links(session: Session, employee: EmployeeRecord, source: SourceRecord) -> None:
    """Keep the entries a newly linked one replaces as evidence; they vouch no longer (P2)."""
    session.execute(
        update(LinkRecord)
        .where(LinkRecord.employee_id == employee.id, LinkRecord.source_id == source.id)
        .values(hidden=True),
    )


def owns(session: Session, source: SourceRecord, employee: EmployeeRecord) -> bool:
    """Whether this source has the say: it is authoritative, or nobody else vouches (P6)."""
    if source.authoritative:
        return True
    others = select(LinkRecord.anchor).where(
        LinkRecord.employee_id == employee.id,
        LinkRecord.source_id != source.id,
        LinkRecord.hidden.is_(False),
    )
    return session.scalar(others.limit(1)) is None


def _write_owned(context: ServiceContext, employee: EmployeeRecord, person: Person) -> None:
    employee.display_name = person.display_name
    employee.display_name_key = address_key(person.display_name)
    employee.department = person.department
    employee.title = person.title
    employee.mailbox = person.mailbox
    employee.starts_at = person.starts_at
    follows = context.policy.contact_email is ContactPolicy.FOLLOW_DIRECTORY
    if follows and person.mail and employee.state is EmployeeState.ACTIVE:
        employee.contact_email = person.mail
        employee.contact_email_key = address_key(person.mail)


def _write_addresses(
    session: Session, employee: EmployeeRecord, source: SourceRecord, person: Person
) -> None:
    session.execute(
        delete(AddressRecord).where(
            AddressRecord.employee_id == employee.id, AddressRecord.source_id == source.id
        )
    )
    values = [("alias", alias) for alias in person.aliases]
    if person.mail:
        values.append(("directory", person.mail))
    if person.mailbox:
        values.append(("mailbox", person.mailbox))
    session.add_all(
        AddressRecord(
            employee_id=employee.id,
            source_id=source.id,
            role=role,
            value=value,
            value_key=address_key(value),
            primary=role == "directory",
        )
        for role, value in values
    )
    session.flush()


def linked_employee(session: Session, source: SourceRecord, anchor: str) -> EmployeeRecord | None:
    """Return the employee a person of a source is linked to, if there is one."""
    return session.scalars(
        select(EmployeeRecord)
        .join(LinkRecord, LinkRecord.employee_id == EmployeeRecord.id)
        .where(LinkRecord.source_id == source.id, LinkRecord.anchor == anchor)
    ).one_or_none()


def _next_seq(session: Session, context: ServiceContext) -> int:
    """Give out the next number of an employee; the row lock keeps it unique."""
    following = session.scalar(
        update(IntranetRecord)
        .where(IntranetRecord.id == context.intranet_id)
        .values(next_employee_seq=IntranetRecord.next_employee_seq + 1)
        .returning(IntranetRecord.next_employee_seq),
        execution_options={"synchronize_session": False},
    )
    if following is None:
        raise LookupError("the intranet is gone")
    return int(following) - 1
