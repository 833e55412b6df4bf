"""Mappings: tried on real people, counted over everyone, saved, listed, rolled back (R8)."""

from __future__ import annotations

import dataclasses

import pytest

from provisioning.domain.errors import (
    ConfigurationError,
    DigestMismatchError,
    NotFoundError,
    RuleError,
    SourceError,
)
from provisioning.services.container import Services
from provisioning.services.demo import clear_demo
from provisioning.storage.models.effects import EventRecord
from provisioning.storage.models.mappings import MappingVersionRecord
from tests.kit.nights import ME, count
from tests.kit.sources import entry

CITIES = {"department": {"expr": 'joinNonEmpty([first("departmentNumber"), first("l")], ", ")'}}


@pytest.fixture
def company(world):
    """Ann and Bob in Sales, Ann in Berlin; both invited."""
    world.directory.add(
        entry("ann", departmentNumber="Sales", l="Berlin"), entry("bob", departmentNumber="Sales")
    )
    world.sync()
    return world


def save(world, rules, comment=""):
    """Count and save, as whoever looks first."""
    mappings = world.services.mappings
    return mappings.save("corp", rules, mappings.effect("corp", rules).seen, ME, comment)


def save_by(services, rules):
    counted = services.mappings.effect("corp", rules)
    services.mappings.save("corp", rules, counted.seen, ME)
    return counted.effect


def departments(world):
    people = world.services.reports.everyone()
    return {one.display_name: one.department for one in people}


def test_a_mapping_is_tried_on_real_people(company):
    """R8: rule, raw values and result of every field; nothing is written."""
    events = count(company, EventRecord)
    ann, bob = company.services.mappings.test("corp", CITIES, sample=5)
    [department] = [step for step in ann.fields if step.field == "department"]
    assert department.rule == CITIES["department"]["expr"]
    assert department.raw == {"departmentNumber": ("Sales",), "l": ("Berlin",)}
    assert (department.value, ann.problem) == ("Sales, Berlin", None)
    assert bob.id == "id-bob"
    [first] = company.services.mappings.test("corp", CITIES, sample=1)
    assert first.id == "id-ann"
    [chosen] = company.services.mappings.test("corp", {"mail": "uid"}, sample=5, people=["bob"])
    assert {step.field: step.refused for step in chosen.fields}["mail"] == (
        "no usable address: bob"
    )
    [broken] = company.services.mappings.test(
        "corp", {"active_until": "cn"}, sample=5, people=["bob"]
    )
    assert broken.problem.startswith("cn: ")
    with pytest.raises(NotFoundError, match='called "zoe"'):
        company.services.mappings.test("corp", {}, sample=5, people=["zoe"])
    assert count(company, EventRecord) == events


def test_the_effect_is_counted_over_everyone_and_nothing_is_written(company):
    """R8: how many people, by field, with examples; who leaves, who cannot be used any more."""
    company.directory.add(*(entry(f"p{n}", departmentNumber="Ops", l="Bonn") for n in range(10)))
    counted = company.services.mappings.effect("corp", CITIES)
    effect = counted.effect
    assert (effect.read, effect.changed, counted.same) == (12, 11, False)
    [department] = effect.fields
    assert (department.field, department.people, department.vanishes) == ("department", 11, 0)
    assert len(department.examples) == 5
    assert dataclasses.astuple(department.examples[0]) == (
        "Ann", "id-ann", "Sales", "Sales, Berlin"
    )  # fmt: skip
    gone = company.services.mappings.effect("corp", {"department": ""}).effect
    assert (gone.fields[0].people, gone.fields[0].vanishes) == (12, 12)
    assert count(company, MappingVersionRecord) == 0
    assert departments(company) == {"Ann": "Sales", "Bob": "Sales"}


def test_the_effect_tells_who_would_leave_and_who_could_not_be_used(company):
    """R8, D1: what matters most is counted by itself."""
    company.directory.add(
        entry("cyd", disabled="yes"), entry("dan", active_until="sometimes"), entry("eve", x="no")
    )
    rules = {"active": {"expr": 'first("x") != "no"'}}
    effect = company.services.mappings.effect("corp", rules).effect
    assert (effect.changed, effect.leave, effect.return_) == (2, 1, 1)
    effect = company.services.mappings.effect("corp", {"active_until": "active_until"}).effect
    assert (effect.changed, effect.unusable, effect.usable) == (1, 1, 0)
    [problem] = effect.problems
    assert (problem.who, problem.id) == ("Dan", "id-dan")
    assert problem.new.startswith("active_until: ")
    save(company, {"active_until": "active_until"})
    effect = company.services.mappings.effect("corp", {}).effect
    assert (effect.changed, effect.unusable, effect.usable) == (1, 0, 1)


def test_a_saved_mapping_is_planned_before_it_is_done(company):
    """R8: everybody is mapped by it at once, and the first run that would do something waits."""
    saved = save(company, CITIES, "towns are wanted")
    assert (saved.number, saved.in_force, saved.saved_by) == (1, True, "anna")
    assert (saved.read, saved.changed, saved.comment) == (2, 1, "towns are wanted")
    plan = company.night()
    assert (plan.state, plan.rules_changed, plan.counts["update"]) == ("ready", True, 1)
    assert departments(company)["Ann"] == "Sales"
    company.services.runs.apply(plan.run, ME)
    assert departments(company)["Ann"] == "Sales, Berlin"
    assert company.night().state == "applied"
    assert company.services.mappings.versions.of_run(plan.run) == 1


def test_versions_are_listed_and_any_of_them_can_be_had_back(company):
    """R8: a roll-back is a version like any other: counted, planned, told who and when."""
    save(company, CITIES)
    save(company, {"department": "l"})
    versions = company.services.mappings.versions
    assert [(v.number, v.in_force, v.saved_by) for v in versions.listed("corp")] == [
        (2, True, "anna"), (1, False, "anna"), (0, False, "")
    ]  # fmt: skip
    assert versions.rules_of("corp", 1) == CITIES
    assert save(company, versions.rules_of("corp", 1)).number == 3
    assert company.services.sources["corp"].own_rules == CITIES
    assert save(company, {}).from_configuration
    assert company.services.sources["corp"].own_rules == {}
    assert versions.in_force("corp").origin.endswith("the configuration's again")
    with pytest.raises(NotFoundError, match="no version 9"):
        versions.rules_of("corp", 9)
    because = [event.because for event in events(company) if event.kind == "mapping_saved"]
    assert len(because) == 4
    assert because[0] == (
        "anna saved version 1 of the mapping of corp: of 2 people it changes 1 (R8)"
    )


def test_only_what_was_counted_is_saved(company):
    """R8: other rules, or a version saved meanwhile, have to be looked at again."""
    mappings = company.services.mappings
    seen = mappings.effect("corp", CITIES).seen
    with pytest.raises(DigestMismatchError, match="nothing was saved"):
        mappings.save("corp", {"department": "l"}, seen, ME)
    save(company, {"department": "l"})
    with pytest.raises(DigestMismatchError, match="somebody saved one meanwhile"):
        mappings.save("corp", CITIES, seen, ME)
    assert mappings.effect("corp", {"department": "l"}).same
    assert not mappings.effect("corp", None).same
    assert count(company, MappingVersionRecord) == 1


def test_what_can_never_work_is_refused_before_anything_is_read(company):
    """R8, R2: a mistake names the field; a reading that is cut short or empty counts nothing."""
    mappings = company.services.mappings
    seen = mappings.effect("corp", {}).seen
    for work in (
        lambda rules: mappings.test("corp", rules, sample=5),
        lambda rules: mappings.effect("corp", rules),
        lambda rules: mappings.save("corp", rules, seen, ME),
    ):
        with pytest.raises(RuleError, match=r"mapping\.mail: line 1, column 6"):
            work({"mail": {"expr": "frist('mail')"}})
    company.directory.cut_after = 1
    with pytest.raises(SourceError, match="sizeLimitExceeded"):
        mappings.effect("corp", CITIES)
    company.directory.cut_after = None
    company.directory.remove("ann", "bob")
    with pytest.raises(SourceError):
        mappings.effect("corp", CITIES)
    company.services.add_identity_provider("entra", "entra", ME)
    with pytest.raises(ConfigurationError, match="sends its people by itself"):
        mappings.versions.listed("entra")


def test_every_process_maps_by_what_was_saved_last(company):
    """R8: another process, made before the save, knows it at its next look."""
    context, mailer = company.services.context, company.services.mailer
    other = Services.build(context, company.services.sources.configured, mailer)
    assert other.sources["corp"].own_rules == {}
    save(company, CITIES)
    assert other.sources["corp"].own_rules == CITIES
    mapping = other.check("corp").steps[-1]
    assert (mapping.name, mapping.detail.partition(";")[0]) == (
        "mapping", "version 1, saved by anna"
    )  # fmt: skip
    assert (list(other.sources), len(other.sources)) == (["corp"], 1)


def test_a_saved_mapping_that_does_not_compile_any_more_is_told_with_the_way_out(company):
    """Exit code 78: nothing is read by half a mapping; the configuration's can be had back."""
    save(company, CITIES)
    with company.services.context.database.write() as session:
        session.query(MappingVersionRecord).one().rules = {"mail": {"expr": "gone(1)"}}
    other = Services.build(
        company.services.context, company.services.sources.configured, company.services.mailer
    )
    with pytest.raises(ConfigurationError, match="usher mapping restore corp 0"):
        other.runs.sync("corp", ME)
    effect = save_by(other, None)
    assert (effect.changed, effect.usable) == (2, 2)
    assert other.run_reports.plan(other.runs.sync("corp", ME)).read == 2


def test_a_source_that_is_taken_away_takes_its_versions_along(company):
    """The demo: nothing of it is left behind."""
    save(company, CITIES)
    clear_demo(company.services.context, "corp")
    assert count(company, MappingVersionRecord) == 0


def events(world):
    """Everything that is on record, in order."""
    with world.services.context.database.read() as session:
        return session.query(EventRecord).order_by(EventRecord.id).all()
