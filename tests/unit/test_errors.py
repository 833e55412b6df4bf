"""Errors: words once, facts in attributes, a stable code, an exit code."""

import pytest

from provisioning.domain import errors as e
from provisioning.domain.exit_codes import exit_code


def _kinds(kind):
    """A kind of error and every kind below it."""
    return [kind, *(below for sub in kind.__subclasses__() for below in _kinds(sub))]


OURS = [kind for kind in _kinds(e.ProvisioningError) if kind.__module__ == e.__name__]


def test_no_two_errors_have_one_code():
    """A report that names a code names one kind of trouble."""
    codes = [kind.code for kind in OURS]
    assert len(codes) > 20
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize(
    ("error", "words", "facts"),
    [
        (
            e.MappingError("mail", "is empty"),
            "mail: is empty",
            {"attribute": "mail", "problem": "is empty"},
        ),
        (
            e.TransitionError("dismissed", "be_dismissed"),
            "an employee who is dismissed cannot be dismissed",
            {"state": "dismissed", "change": "be_dismissed"},
        ),
        (
            e.SeatLimitError(limit=10, taken=12),
            "all 10 seats are taken (12 in use)",
            {"limit": 10, "taken": 12},
        ),
        (
            e.NotInLineError("Ann", "invited"),
            (
                "Ann is not in the line for a seat (invited). Nothing was changed; "
                "`usher waitlist` shows who is."
            ),
            {},
        ),
        (e.NotFoundError("run", 9), "there is no run 9", {"what": "run", "key": 9}),
        (
            e.NotFoundError("source", '"copr"', hint="there are: corp"),
            'there is no source "copr"; there are: corp',
            {},
        ),
        (
            e.UniquenessError(
                what="person", attribute="userName", value="ann", existing_id="7"
            ),
            (
                'userName "ann" already belongs to another person (id 7). '
                "If this is the same person, send PATCH to that id."
            ),
            {"attribute": "userName", "value": "ann", "existing_id": "7"},
        ),
        (
            e.GroupLoopError("7"),
            (
                "the group 7 would contain itself; nobody was added to it. "
                "Leave out the group that leads back to it."
            ),
            {"group_id": "7"},
        ),
        (
            e.RunStateError(7, "applied", "rejected"),
            "run 7 is applied and cannot be rejected",
            {"run": 7, "state": "applied", "wanted": "rejected"},
        ),
        (e.InvitationError("expired", "It has expired."), "It has expired.", {"reason": "expired"}),
        (e.DeliveryError("550 no such user", permanent=True), "550 no such user",
         {"permanent": True}),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_an_error_says_what_happened_and_keeps_the_facts(error, words, facts):
    """I7, S1, L3, R4: a sentence for people, attributes for programs."""
    assert str(error) == words
    assert {name: getattr(error, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (e.ConfigurationError("x"), 78),
        (e.SourceError("x"), 65),
        (e.SourceUnavailableError("x"), 69),
        (e.DatabaseUnavailableError("x"), 69),
        (e.HeldError("x"), 3),
        (e.BusyError("x"), 75),
        (e.StaleWriteError("x"), 75),
        (e.CredentialsError("x"), 1),
        (e.ProvisioningError("x"), 1),
    ],
)
def test_a_command_answers_with_the_code_of_the_nearest_kind(error, code):
    """R2: a script can tell "try again" from "look at this"."""
    assert exit_code(error) == code
