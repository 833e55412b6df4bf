"""A check looks at everybody a source has, and changes nothing (promise 6)."""

from __future__ import annotations

from provisioning.ports import CheckOutcome, CheckReport, CheckStep
from tests.kit.sources import entry


def steps(world):
    return {step.name: step for step in world.services.check("corp").steps}


def some(number, **attributes):
    return [entry(f"p{n:02}", **attributes) for n in range(number)]


def test_a_check_says_what_a_run_would_make_of_everybody(world):
    world.directory.add(*some(8))
    found = steps(world)
    assert list(found) == ["search", "usable", "disabled", "compare"]
    assert {step.outcome for step in found.values()} == {CheckOutcome.OK}
    assert found["usable"].detail == "8 have mail"
    assert found["disabled"].detail == "nobody"
    assert found["compare"].detail == "no run has read it yet"
    world.sync()
    assert steps(world)["compare"].detail == "last run saw 8 (0 %)"


def test_whoever_cannot_be_used_is_named_up_to_five(world):
    """I1, P3: no mail, no value that can be read, another's mail."""
    world.directory.add(
        *some(7, mail=None),
        entry("long", title="x" * 2_000),
        entry("twin", mail="ann@corp.example"),
        entry("ann"),
    )
    usable = steps(world)["usable"]
    assert usable.outcome is CheckOutcome.WARNING
    none, unreadable, twins = usable.detail.split("; ")[1:]
    assert none == "7 have none and are not invited: p00, p01, p02, p03, p04 and 2 more"
    assert unreadable.startswith("1 cannot be mapped and are passed over: uid=long,")
    assert twins.startswith("1 come with a mail that somebody else has: ")
    assert twins.endswith((" ann (ann@corp.example)", " twin (ann@corp.example)"))


def test_an_id_that_two_have_is_said(world, monkeypatch):
    """P1: the id says who somebody is."""
    one, other = entry("ann"), entry("bob", anchor="id-ann")
    monkeypatch.setattr(world.directory, "people", {"1": one, "2": other})
    assert "1 come with an id that somebody else has: id-ann" in steps(world)["usable"].detail


def test_the_disabled_are_told_before_they_are_dismissed(world):
    """D1."""
    world.directory.add(*some(4), entry("eve", disabled="yes"))
    disabled = steps(world)["disabled"]
    assert disabled.detail == "1 disabled or expired, dismissed if they are here: eve"
    assert disabled.outcome is CheckOutcome.OK


def test_a_mapping_that_finds_nobody_fails(world):
    """Promise 8: no mail at all, or everybody disabled, is a mistake."""
    world.directory.add(*some(4, mail=None, disabled="yes"))
    report = world.services.check("corp")
    assert report.failed
    failed = [step.name for step in report.steps if step.outcome is CheckOutcome.FAILED]
    assert failed == ["usable", "disabled"]


def test_fewer_than_the_last_run_saw_is_a_warning(world):
    """D5: before a run holds them."""
    world.directory.add(*some(40))
    world.sync()
    world.directory.remove(*(f"p{n:02}" for n in range(5)))
    compared = steps(world)["compare"]
    assert compared.outcome is CheckOutcome.WARNING
    assert compared.detail.startswith("last run saw 40 (-12.5 %); a run would hold")


def test_what_cannot_be_read_is_compared_with_nothing(world, monkeypatch):
    """R2."""
    step = CheckStep(name="search", outcome=CheckOutcome.FAILED, detail="broke")
    monkeypatch.setattr(world.directory, "check", lambda _see: CheckReport(steps=[step]))
    assert list(steps(world)) == ["search"]
