"""Plans in lines: a kind of action each, what drifted, and why nothing is done (R4)."""

from __future__ import annotations

from collections.abc import Iterable

from provisioning.cli.output import Screen
from provisioning.domain.findings import FindingKind
from provisioning.services.action_rows import ActionRow
from provisioning.services.run_reports import PlanReport

SIGNS = {
    "revoke": "- revoke",
    "dismiss": "- dismiss",
    "update": "~ update",
    "hire_back": "^ hire back",
    "invite": "+ invite",
    "wait": ". wait",
    "flag": "! flag",
}


def show_drifted(screen: Screen, report: PlanReport) -> None:
    """Tell who was not touched because they are not as the plan saw them, and why (R4)."""
    if not report.drifted_count or screen.json:
        return
    screen.say("", f"Not done, because it changed meanwhile: {report.drifted_count:,}")
    for action in report.drifted:
        screen.say(f"  {SIGNS[action.action]:12} {action.person}: {action.error}")
    more = report.drifted_count - len(report.drifted)
    if more:
        screen.say(f"  and {more:,} more: usher plan-show {report.run}")


def show_plan(screen: Screen, report: PlanReport) -> None:
    """Print a plan: the document, or a line a kind of action."""
    if screen.json:
        screen.document(report)
        return
    what = f"{report.read:,} read   {report.unchanged:,} unchanged"
    if report.undoes:
        what = f"takes run {report.undoes} back"
    screen.say(f"Plan {report.run}  {report.source} -> intranet   {what}   ({report.state})")
    # What an undo leaves alone was never of its plan.
    wanted = [one for one in report.actions if not (report.undoes and one.status == "drifted")]
    for kind, sign in SIGNS.items():
        for actions in _by_finding(action for action in wanted if action.action == kind):
            screen.say(f"  {sign:12} {len(actions):6,}    {_example(actions)}")
    if any(action.finding == FindingKind.DUPLICATE_PERSON for action in report.actions):
        screen.say("", "Say who they are: usher matches")
    if report.seats_sentence:
        screen.say("", f"Seats: {report.seats_sentence}")
    if report.limit_sentence:
        screen.say("", f"Held: {report.limit_sentence}")
    if report.error:
        screen.say(f"  {report.error}")


def _by_finding(actions: Iterable[ActionRow]) -> Iterable[list[ActionRow]]:
    """Return actions of one kind, those of each finding on their own."""
    found: dict[str, list[ActionRow]] = {}
    for action in actions:
        found.setdefault(action.finding or "", []).append(action)
    return found.values()


def _example(actions: list[ActionRow]) -> str:
    first = actions[0]
    more = f"  and {len(actions) - 1:,} more" if len(actions) > 1 else ""
    return f"{first.person}: {first.because}{more}"
