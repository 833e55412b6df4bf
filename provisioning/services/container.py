"""All use cases of one intranet, made once by the composition root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from provisioning.domain.brakes import Brake
from provisioning.domain.employees import EmployeeState
from provisioning.domain.errors import ConfigurationError
from provisioning.ports import CheckReport, Clock, Mailer, Webhook
from provisioning.services.access_tokens import AccessTokenService
from provisioning.services.accounts import AccountService
from provisioning.services.alarms import AlarmService
from provisioning.services.checking import check_source
from provisioning.services.connections import (
    Connection,
    add_identity_provider,
    choose_vendor,
    connection,
    connections,
)
from provisioning.services.context import Actor, ConfiguredSource, ServiceContext
from provisioning.services.delivery import NOBODY, DeliveryService
from provisioning.services.departments import DepartmentService
from provisioning.services.digest import DigestService
from provisioning.services.findings import FindingService
from provisioning.services.hold_reports import HoldReports
from provisioning.services.holds import HoldService
from provisioning.services.ignored_report import IgnoredAttribute, ignored_attributes
from provisioning.services.inbound import InboundLog
from provisioning.services.inbound_report import InboundReports
from provisioning.services.invitations import InvitationService
from provisioning.services.inviting_again import invite_again
from provisioning.services.line import LineService
from provisioning.services.mappings import MappingService
from provisioning.services.match_reports import MatchReports
from provisioning.services.matching import MatchingService
from provisioning.services.nodes import NodeService
from provisioning.services.on_demand import OnDemandService
from provisioning.services.outbox_report import OutboxReports
from provisioning.services.person_report import PersonReport, person_report
from provisioning.services.reports import Reports
from provisioning.services.run_reports import RunReports
from provisioning.services.runs import RunService
from provisioning.services.saved_mappings import SavedSources
from provisioning.services.scim_groups import ScimGroupService
from provisioning.services.scim_users import ScimUserService
from provisioning.services.seats import SeatService
from provisioning.services.sessions import SessionService
from provisioning.services.slots import SlotService
from provisioning.services.stale import remove_stale
from provisioning.services.switches import SwitchService
from provisioning.services.token_letters import TokenLetters
from provisioning.services.tokens import NewToken, TokenService
from provisioning.services.undoing import UndoService
from provisioning.services.waiting import WaitingService
from provisioning.storage.base import Database
from provisioning.storage.locks import COMPOSING, take_turn
from provisioning.storage.models.employees import LinkRecord
from provisioning.storage.models.intranets import (
    IntranetRecord,
    SeatCounterRecord,
    SourceRecord,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What doors and jobs are handed."""

    context: ServiceContext
    runs: RunService
    on_demand: OnDemandService
    mappings: MappingService
    run_reports: RunReports
    undoing: UndoService
    reports: Reports
    outbox: OutboxReports
    invitations: InvitationService
    waiting: WaitingService
    line: LineService
    seats: SeatService
    findings: FindingService
    matching: MatchingService
    matches: MatchReports
    delivery: DeliveryService
    scim_users: ScimUserService
    scim_groups: ScimGroupService
    departments: DepartmentService
    holds: HoldService
    hold_reports: HoldReports
    tokens: TokenService
    access_tokens: AccessTokenService
    token_letters: TokenLetters
    inbound: InboundLog
    inbound_reports: InboundReports
    alarms: AlarmService
    digest: DigestService
    accounts: AccountService
    sessions: SessionService
    slots: SlotService
    switches: SwitchService
    nodes: NodeService
    sources: SavedSources
    mailer: Mailer
    webhooks: Mapping[str, Webhook]

    @classmethod
    def build(
        cls,
        context: ServiceContext,
        sources: Mapping[str, ConfiguredSource],
        mailer: Mailer,
        webhooks: Mapping[str, Webhook] = NOBODY,
    ) -> Self:
        """Make every use case for one intranet."""
        saved = SavedSources(context, sources)
        return cls(
            context=context,
            runs=RunService(context, saved),
            on_demand=OnDemandService(context, saved),
            mappings=MappingService(context, saved),
            run_reports=RunReports(context),
            undoing=UndoService(context),
            reports=Reports(context),
            outbox=OutboxReports(context),
            invitations=InvitationService(context),
            waiting=WaitingService(context),
            line=LineService(context),
            seats=SeatService(context),
            findings=FindingService(context),
            matching=MatchingService(context),
            matches=MatchReports(context),
            delivery=DeliveryService(context, mailer, webhooks),
            scim_users=ScimUserService(context),
            scim_groups=ScimGroupService(context),
            departments=DepartmentService(context),
            holds=HoldService(context),
            hold_reports=HoldReports(context),
            tokens=TokenService(context),
            access_tokens=AccessTokenService(context),
            token_letters=TokenLetters(context),
            inbound=InboundLog(context),
            inbound_reports=InboundReports(context),
            alarms=AlarmService(context),
            digest=DigestService(context),
            accounts=AccountService(context),
            sessions=SessionService(context),
            slots=SlotService(context),
            switches=SwitchService(context),
            nodes=NodeService(context),
            sources=saved,
            mailer=mailer,
            webhooks=webhooks,
        )

    def person(self, employee_id: UUID) -> PersonReport:
        """Return everything about one employee.

        Raises:
            NotFoundError: This intranet has no such employee.
        """
        return person_report(self.context, employee_id)

    def invite_again(self, employee_id: UUID, actor: Actor) -> EmployeeState:
        """Invite somebody who has not joined once more; returns their state afterwards.

        Raises:
            NotFoundError: This intranet has no such employee.
            NotInvitableError: There is nothing to invite them to, or not yet.
        """
        return invite_again(self.context, employee_id, actor)

    def remove_stale_invitations(self, actor: Actor) -> int:
        """Remove every stale invitation and serve the line; returns how many were removed (L5)."""
        removed = remove_stale(self.context, actor)
        self.waiting.serve()
        return removed

    def let_go(self, brake: Brake, actor: Actor, comment: str = "") -> bool:
        """Let go of a brake, and take up at once what it held; false if it was off."""
        was_on = self.switches.let_go(brake, actor, comment)
        if brake is Brake.NO_DISMISSALS:
            self.holds.take_up_braked()
        return was_on

    def connections(self) -> Sequence[Connection]:
        """Return every source with its last sign of life."""
        return connections(self.context)

    def connection(self, name: str) -> Connection:
        """Return one source with its last sign of life.

        Raises:
            NotFoundError: There is none of that name.
        """
        return connection(self.context, name)

    def check(self, source: str) -> CheckReport:
        """Try a source that is read, step by step, and look at everybody in it.

        Raises:
            NotFoundError: There is no such source.
            ConfigurationError: It sends its people by itself.
        """
        return check_source(self.context, self.sources, source)

    def ignored(self, source: str) -> Sequence[IgnoredAttribute]:
        """Return what a source's clients sent lately that was ignored.

        Raises:
            NotFoundError: There is no such source.
        """
        return ignored_attributes(self.context, source)

    def add_identity_provider(self, name: str, vendor: str, actor: Actor) -> NewToken:
        """Make a SCIM source and its first token.

        Raises:
            ConfigurationError: The name is taken, or cannot be one. Nothing was made.
        """
        return add_identity_provider(self.context, self.tokens, name, vendor, actor)

    def choose_vendor(self, name: str, vendor: str, actor: Actor) -> None:
        """Remember whose product pushes into a SCIM source.

        Raises:
            NotFoundError: There is no such source.
            ConfigurationError: The source is one that Usher reads itself.
        """
        choose_vendor(self.context, name, vendor, actor)


def ensure_intranet(database: Database, *, slug: str, name: str, time_zone: str) -> UUID:
    """Make the intranet and its ledger if they are new; returns the intranet's id."""
    with database.write() as session:
        take_turn(session, COMPOSING)
        intranet = session.scalars(
            select(IntranetRecord).where(IntranetRecord.slug == slug)
        ).one_or_none()
        if intranet is None:
            intranet = IntranetRecord(slug=slug, name=name)
            session.add(intranet)
            session.flush()
            session.add(SeatCounterRecord(intranet_id=intranet.id))
        intranet.name, intranet.time_zone = name, time_zone
        return intranet.id


def ensure_sources(
    database: Database, intranet_id: UUID, sources: Mapping[str, ConfiguredSource], clock: Clock
) -> None:
    """Make rows for configured sources that are new, and keep the others' choices up to date.

    Raises:
        ConfigurationError: A name is already used by a source of another type.
    """
    with database.write() as session:
        take_turn(session, COMPOSING)
        for configured in sources.values():
            _ensure_source(session, intranet_id, configured, clock)


def _ensure_source(
    session: Session, intranet_id: UUID, configured: ConfiguredSource, clock: Clock
) -> None:
    source = session.scalars(
        select(SourceRecord).where(
            SourceRecord.intranet_id == intranet_id, SourceRecord.name == configured.name
        )
    ).one_or_none()
    if source is None:
        source = SourceRecord(
            intranet_id=intranet_id,
            name=configured.name,
            kind=configured.kind,
            created_at=clock.now(),
        )
        session.add(source)
    if source.kind != configured.kind:
        raise ConfigurationError(
            f'the source "{configured.name}" was of type {source.kind} and is now configured as '
            f"{configured.kind}; its people would lose their source. Choose another name."
        )
    source.first_run = configured.first_run
    if source.authoritative != configured.authoritative:
        source.authoritative = configured.authoritative
        session.flush()
        session.execute(
            update(LinkRecord)
            .where(LinkRecord.source_id == source.id)
            .values(authoritative=configured.authoritative)
        )
