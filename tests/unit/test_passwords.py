"""Passwords (A6)."""

from __future__ import annotations

from argon2 import PasswordHasher, extract_parameters

from provisioning.services.credentials import DECOY


def test_an_address_nobody_has_costs_as_much_as_one_that_exists():
    """A6: the decoy is hashed as new passwords are."""
    assert not PasswordHasher().check_needs_rehash(DECOY)
    assert extract_parameters(DECOY) == extract_parameters(PasswordHasher().hash("x" * 12))
