"""A night that is killed with SIGKILL at a chosen statement, in a process of its own.

    python -m tests.kit.killed URL_TEMPLATE POINTS

`URL_TEMPLATE` holds `{point}`; each point has an empty, migrated database. Prints one JSON
document: the end state of the never-killed twin, and of every point after it was run again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import event, select

from connectors.cel.compiler import CelCompiler
from provisioning.domain.mapping import compile_mapping
from provisioning.domain.policy import Policy
from provisioning.services.container import Services
from provisioning.services.context import Actor, ConfiguredSource, InvitationTimes
from provisioning.storage.models.effects import EventRecord, OutboxRecord
from provisioning.storage.models.employees import EmployeeRecord, LinkRecord
from provisioning.storage.models.runs import RunPersonRecord
from tests.kit.services import FakeClock, make_services
from tests.kit.sources import MemoryDirectory, entry

ME = Actor("anna", "cli")
SEATS = 14


def first_night() -> MemoryDirectory:
    return MemoryDirectory("corp", [entry(f"p{n:02}") for n in range(12)])


def second_night() -> MemoryDirectory:
    """Two left, three changed department, one changed address, five are new; seats for four."""
    directory = first_night()
    directory.remove("p00", "p01")
    directory.add(*(entry(f"p{n:02}", departmentNumber="Sales") for n in (2, 3, 4)))
    directory.add(entry("p05", mail="other@corp.example"))
    directory.add(*(entry(f"q{n}") for n in range(5)))
    return directory


def compose(url: str, directory: MemoryDirectory, days: int) -> Services:
    rules = {
        "user_name": "uid",
        "mail": "mail",
        "display_name": "cn",
        "department": "departmentNumber",
    }
    source = ConfiguredSource(
        name="corp",
        kind="ldap",
        first_run="apply",
        directory=directory,
        mapping=compile_mapping(rules, CelCompiler()),
    )
    clock = FakeClock()
    clock.advance(timedelta(days=days))
    return make_services(
        url,
        clock=clock,
        seat_limit=SEATS,
        policy=Policy(missing_grace_nights=0),
        times=InvitationTimes(grace=timedelta(0)),
        sources={"corp": source},
    )


def night(url: str, *, kill_at: int | None = None) -> int:
    """Run the second night; returns the statements it took, if it lived."""
    services = compose(url, second_night(), days=1)
    statements = 0

    @event.listens_for(services.context.database.engine, "after_cursor_execute")
    def count(*_: Any) -> None:
        nonlocal statements
        statements += 1
        if statements == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    services.runs.sync("corp", ME)
    services.context.database.close()
    return statements


def end_state(url: str) -> dict[str, Any]:
    """What must be equal however often the night was killed."""
    services = compose(url, second_night(), days=1)
    with services.context.database.read() as session:
        people = session.execute(
            select(EmployeeRecord.display_name, EmployeeRecord.state, EmployeeRecord.department)
        ).all()
        events = session.scalars(
            select(EventRecord.kind).where(EventRecord.employee_id.is_not(None))
        ).all()
        letters = session.scalars(select(OutboxRecord.payload)).all()
        links = session.scalars(select(LinkRecord.anchor)).all()
        staged = session.scalars(select(RunPersonRecord.anchor)).all()
    seats = services.reports.seats()
    drift = services.seats.recount()
    services.context.database.close()
    return {
        "people": sorted([name, state.value, department] for name, state, department in people),
        "events": dict(sorted(Counter(events).items())),
        "letters": sorted(letter["to"] for letter in letters),
        "links": sorted(links),
        "staged": len(staged),
        "taken": seats.taken,
        "ledger_off_by": drift,
    }


def in_child(work: Any) -> int:
    """Do it in a forked process; returns how it ended (negative: the signal)."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def prepare(url: str) -> None:
    services = compose(url, first_night(), days=0)
    services.runs.sync("corp", ME)
    services.context.database.close()


def main(template: str, points: int) -> None:
    twin = template.replace("{point}", "0")
    in_child(lambda: prepare(twin))
    total = night(twin)
    ended = []
    for point in range(1, points + 1):
        url = template.replace("{point}", str(point))
        statement = max(1, total * point // (points + 1))
        in_child(lambda url=url: prepare(url))
        first = in_child(lambda url=url, at=statement: night(url, kill_at=at))
        again = in_child(lambda url=url: night(url))
        ended.append({"at": statement, "first": first, "again": again, "state": end_state(url)})
    json.dump({"statements": total, "twin": end_state(twin), "points": ended}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
