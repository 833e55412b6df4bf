"""What cannot be evaluated is refused: never everyone, and never an empty list."""

from __future__ import annotations

from http import HTTPStatus

from provisioning.scim.errors import ScimError


def refused(detail: str) -> ScimError:
    """Return the answer to a filter that cannot be evaluated (RFC 7644 3.12)."""
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidFilter")


def unsortable(detail: str) -> ScimError:
    """Return the answer to an order that is none."""
    return ScimError(HTTPStatus.BAD_REQUEST, detail, "invalidValue")
