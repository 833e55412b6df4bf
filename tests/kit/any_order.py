"""A company to which anything happens in any order, and what has to hold after every step.

step                                                  by
----------------------------------------------------  ------------------------------------------
hired, left, renamed, moved, disabled, enabled        the directory of corp, told by the next run
a night, a night that is cut short, killed or held    corp, read and applied
changes between the nights                            corp, what changed since the last reading
pushed, replaced, switched off and on, deleted        idp, a provider with two dialects
approved, rejected                                    an administrator
accepted, invited again                               whoever was invited, an administrator
another seat limit                                    an administrator
days that pass                                        invitations expire, whoever waits is served
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import seed as seeded
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from provisioning.domain.errors import (
    HeldError,
    InvitationError,
    NotInvitableError,
    RunStateError,
    SourceError,
)
from provisioning.domain.policy import Policy
from tests.kit.facts import Facts, look, require_lawful
from tests.kit.nights import ME, KilledError, killed_after
from tests.kit.scim_client import CORE, ENTERPRISE, ScimClient, connect, operation, user
from tests.kit.sources import entry
from tests.kit.world import PASSWORD, World, join_token, make_world

NAMES = ("ann", "bob", "cid", "dan", "eve", "fay")
SEATS = 4
names = some.sampled_from(NAMES)
_DONE = ("applied", "partial", "held")


New = Callable[[], AbstractContextManager[str]]
"""Makes an empty, migrated database and takes it away again; gives its URL."""


def hold_in_any_order(database: New, *, examples: int, steps: int, seed: int) -> None:
    """Let anything happen to so many companies, so many steps each."""
    machine = seeded(seed)(type("Company", (AnyOrder,), {"database": staticmethod(database)}))
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


class AnyOrder(RuleBasedStateMachine):
    """Steps in any order, each of which says whose it was."""

    database: New

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        url = self._open.enter_context(type(self).database())
        self.world: World = make_world(url, seats=SEATS, policy=Policy(missing_grace_nights=0))
        self._open.callback(self.world.services.context.database.close)
        self.idp: ScimClient = connect(self.world.services)
        self.pushed: dict[str, str] = {}
        self.before = look(self.world)
        self.door = ""
        """Whose step the latest was."""

    def teardown(self) -> None:
        self._open.close()

    @initialize(people=some.sets(names, min_size=1), both=some.sets(names))
    def begin(self, people: set[str], both: set[str]) -> None:
        """Some are here already, in the one directory or in both, and have joined."""
        self.world.directory.add(*(self._entry(name) for name in sorted(people)))
        self._night()
        for name in sorted(both):
            self._push(name, numbered=True)
        self.world.services.delivery.deliver_due()
        for who in look(self.world).in_state("invited"):
            self._accept(who)
        self.before = look(self.world)

    @rule(name=names)
    def hired(self, name: str) -> None:
        self.world.directory.add(self._entry(name))

    @rule(name=names)
    def left(self, name: str) -> None:
        # Nobody at all is no reading (R2).
        if len(self.world.directory.people) > 1:
            self.world.directory.people.pop(f"id-{name}", None)

    @rule(name=names, changed=some.fixed_dictionaries({}, optional={
        "cn": some.sampled_from(["Renamed", "Another"]),
        "mail": some.sampled_from(["new@corp.example", "ann@corp.example", "", None]),
        "uid": some.sampled_from(["renamed", "ann"]),
        "employeeNumber": some.sampled_from(["1", "77", None]),
        "disabled": some.sampled_from(["yes", None]),
        "departmentNumber": some.sampled_from(["Sales", "Berlin"]),
    }))  # fmt: skip
    def changed(self, name: str, changed: dict[str, Any]) -> None:
        if f"id-{name}" in self.world.directory.people:
            uid = changed.pop("uid", name)
            self.world.directory.add(self._entry(name, uid, **changed))

    def _entry(self, name: str, uid: str = "", **changed: Any) -> Any:
        number = str(NAMES.index(name) + 1)
        values = {"mail": f"{name}@corp.example", "employeeNumber": number, **changed}
        return entry(uid or name, anchor=f"id-{name}", **values)

    @rule()
    def night(self) -> None:
        self.world.clock.advance(timedelta(days=1))
        self._night()

    def _night(self) -> None:
        self.door = "corp"
        report = self.world.sync()
        assert report.state in _DONE
        if report.state == "applied":
            self._nothing_is_left()

    def _nothing_is_left(self) -> None:
        """R3: planning right after applying gives an empty plan."""
        again = self.world.services.run_reports.plan(self.world.services.runs.plan("corp", ME))
        told = [(a.action, a.person, a.because) for a in again.actions if a.action != "flag"]
        assert not told, told

    @rule(after=some.integers(0, 4))
    def night_cut_short(self, after: int) -> None:
        self.world.clock.advance(timedelta(days=1))
        directory = self.world.directory
        if after >= len(directory.people):
            return
        self.door = "corp"
        # What came due by itself is no effect of the reading.
        self.world.services.invitations.expire_due()
        self.world.services.runs.resume("corp", ME)
        before, directory.cut_after = look(self.world), after
        try:
            self.world.sync()
        except SourceError:
            assert look(self.world) == before, "R2: an incomplete reading changed something"
        finally:
            directory.cut_after = None

    @rule(actions=some.integers(1, 4))
    def night_killed(self, actions: int) -> None:
        self.world.clock.advance(timedelta(days=1))
        self.door = "corp"
        try:
            self.world.services.runs.sync("corp", ME, killed_after(actions))
        except KilledError:
            self.world.clock.advance(timedelta(minutes=5))

    @rule()
    def changes(self) -> None:
        self.world.clock.advance(timedelta(minutes=5))
        self.door = "corp"
        self.world.services.runs.sync_changes("corp", ME)

    @rule()
    def approved(self) -> None:
        self.door = "admin"
        for run in self._held():
            try:
                self.world.services.runs.approve(run, ME, comment="looked")
            except (RunStateError, HeldError):
                continue

    @rule()
    def rejected(self) -> None:
        self.door = "admin"
        for run in self._held():
            self.world.services.runs.reject(run, ME, "not now")

    def _held(self) -> list[int]:
        rows = self.world.services.run_reports.runs(limit=3, source="corp")
        return [row.run for row in rows if row.state == "held"]

    @rule(name=names, numbered=some.booleans())
    def pushed_anew(self, name: str, *, numbered: bool) -> None:
        self._push(name, numbered=numbered)

    def _push(self, name: str, *, numbered: bool) -> None:
        number = str(NAMES.index(name) + 1)
        more = {"schemas": [CORE, ENTERPRISE], ENTERPRISE: {"employeeNumber": number}}
        self.door = "idp"
        answer = self.idp("POST", "/Users", user(name, **(more if numbered else {})))
        assert answer.status_code in (201, 409), answer.text
        assert (answer.status_code == 409) == (name in self.pushed)
        if answer.status_code == 201:
            self.pushed[name] = answer.get_json(force=True)["id"]

    @precondition(lambda self: self.pushed)
    @rule(data=some.data(), active=some.booleans(), dialect=some.sampled_from(["entra", "okta"]))
    def switched(self, data: Any, *, active: bool, dialect: str) -> None:
        name = data.draw(some.sampled_from(sorted(self.pushed)))
        self.door = "idp"
        if dialect == "entra":
            op = operation("Replace", "active", str(active))
            answer = self.idp.try_patch(self.pushed[name], op)
        else:
            body = user(name, active=active)
            answer = self.idp("PUT", f"/Users/{self.pushed[name]}", body)
        assert answer.status_code == 200, answer.text
        assert answer.get_json(force=True)["active"] is active

    @precondition(lambda self: self.pushed)
    @rule(data=some.data())
    def deleted(self, data: Any) -> None:
        name = data.draw(some.sampled_from(sorted(self.pushed)))
        self.door = "idp"
        assert self.idp("DELETE", f"/Users/{self.pushed.pop(name)}").status_code == 204

    @rule(data=some.data())
    def accepted(self, data: Any) -> None:
        self.door = "person"
        self.world.services.delivery.deliver_due()
        invited = self.before.in_state("invited")
        if not invited:
            return
        try:
            self._accept(data.draw(some.sampled_from(invited)))
        except InvitationError:
            # Expired, or its source is not released: it stays as it was.
            return

    def _accept(self, who: UUID) -> None:
        address = look(self.world).invitations[who].address
        link = join_token(self.world.services, who)
        self.world.services.accounts.accept(link, address, PASSWORD)

    @rule(data=some.data())
    def invited_again(self, data: Any) -> None:
        waiting = self.before.in_state("waiting", "invited")
        if not waiting:
            return
        self.door = "admin"
        try:
            who = data.draw(some.sampled_from(waiting))
            self.world.services.invite_again(who, ME)
        except NotInvitableError:
            return

    @rule(limit=some.sampled_from([0, 2, SEATS, 8]))
    def another_limit(self, limit: int) -> None:
        self.door = "admin"
        self.world.services.seats.set_limit(limit, ME)

    @rule(days=some.sampled_from([1, 6, 15, 31]))
    def days_pass(self, days: int) -> None:
        self.world.clock.advance(timedelta(days=days))
        self.door = "time"
        self.world.services.invitations.remind_due()
        self.world.services.invitations.expire_due()
        self.world.services.waiting.serve()
        self.world.services.delivery.deliver_due()
        assert self.world.services.seats.recount() == 0, "L7: the ledger was wrong"

    @invariant()
    def lawful(self) -> None:
        after: Facts = look(self.world)
        require_lawful(self.before, after, self.door)
        self.before = after
