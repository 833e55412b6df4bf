"""The trace of one person on a terminal: a paragraph a step (R9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from provisioning.cli.output import HELD, Screen, printable
from provisioning.domain.mapping import FieldTrace
from provisioning.services.traces import DecisionStep, Trace

_SHOWN = 60
"""Characters of a value: the document has the rest."""


def show_trace(screen: Screen, trace: Trace) -> None:
    """Print the document, or every step."""
    if screen.json:
        screen.document(trace)
        return
    for number, entry in enumerate(trace.found):
        _print(screen, "read" if number == 0 else "", f"{entry.where}   id {entry.id}")
        if trace.entry is not None:
            _lines(screen, _attributes(entry.attributes))
        _print(screen, "scope", f"{'in' if entry.in_scope else 'NOT in'} scope: {entry.scope}")
    if trace.entry is not None:
        _print(screen, "rules", trace.problem or trace.name)
        _lines(screen, map(rule_line, trace.rules))
    if trace.match is not None:
        _print(screen, "match", trace.match.sentence)
        _print(screen, "decision", "" if trace.decisions else trace.conclusion)
        for step in trace.decisions:
            _lines(screen, _decision(step))
        nothing = "none but these changes" if any(d.changes for d in trace.decisions) else "none"
        _print(screen, "effects", "" if trace.effects else nothing)
        _lines(screen, (f"{effect.kind:12}{effect.sentence}" for effect in trace.effects))
    else:
        _print(screen, "decision", trace.conclusion)
    screen.say("", _ending(trace))


def end_by_trace(trace: Trace) -> None:
    """End with 1 if nothing can be decided, with 3 if a guard or a release is waited for."""
    if not trace.is_decided:
        raise SystemExit(1)
    if trace.held:
        raise SystemExit(HELD)


def _ending(trace: Trace) -> str:
    if trace.done:
        held = "; what is held was not done" if trace.held else ""
        return f"Done{held}: usher person {trace.match.employee}" if trace.match else "Done."
    if not trace.is_decided or not trace.does_something:
        return "Nothing has been changed."
    if not trace.released:
        return f"Nothing has been changed. First: usher release {trace.source}"
    id_ = trace.found[0].id
    return f"Nothing has been changed.   Do it: usher sync {trace.source} --person {id_}"


def _print(screen: Screen, step: str, words: str) -> None:
    screen.say(f"{step:10}{printable(words)}".rstrip())


def _lines(screen: Screen, lines: Iterable[str]) -> None:
    screen.say(*(f"{'':10}{printable(line)}" for line in lines))


def _attributes(attributes: Mapping[str, Sequence[str]]) -> Iterable[str]:
    return (f"{name}: {short(values)}" for name, values in sorted(attributes.items()))


def rule_line(step: FieldTrace) -> str:
    """Return what became of one field, by which rule, from what."""
    how = f"  from {step.rule}" if step.rule else "  from other fields"
    raw = ", ".join(f"{name} {short(values)}" for name, values in step.raw.items())
    read = f" ({raw})" if step.is_expression and raw else ""
    refused = f"  refused: {step.refused}" if step.refused else ""
    return f"{step.field:16}{short(step.value)}{how}{read}{refused}"


def _decision(step: DecisionStep) -> Iterable[str]:
    yield f"{step.action.replace('_', ' ')}, because {step.because}"
    if step.held_because:
        yield f"  HELD: {step.held_because}"
    for change in step.changes:
        yield f"  {change.name}: {short(change.old)} -> {short(change.new)}"


def short(value: Any) -> str:
    """Return a value as a line has room for it."""
    if isinstance(value, list | tuple):
        return " | ".join(map(short, value)) or "-"
    if value is None or value == "":
        return "-"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
