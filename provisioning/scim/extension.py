"""Our own extension of a user: an attribute a source may write, and facts it may ask for.

A fact is returned only to who names it in `attributes` (RFC 7643 7, `returned` is "request"): a
sign-in address or a reason for a dismissal is nothing every provider has to keep in its logs. That
somebody waits for a seat is told unasked: the client sees what it set, and nobody came in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from scim2_models import CaseExact, Extension, Mutability, Returned
from scim2_models.urn import URN

from provisioning.scim.urns import EXTENSION

_Text = Annotated[str | None, Mutability.read_only, Returned.request, CaseExact.true]
_Told = Annotated[str | None, Mutability.read_only, Returned.default, CaseExact.true]
_Moment = Annotated[datetime | None, Mutability.read_only, Returned.request]


class UsherUser(Extension):
    """What the intranet knows of a person beyond what RFC 7643 has attributes for."""

    __schema__ = URN(EXTENSION)

    mailbox: Annotated[str | None, CaseExact.false] = None
    """An address served by the intranet's own mail, as the client says."""

    state: _Told = None
    """waiting, invited, active or dismissed; none when nobody is invited. Unasked only of who
    waits for a seat, as are the next three."""

    reason: _Told = None
    """Why somebody waits or was dismissed."""

    because: _Told = None
    """The sentence that explains the state."""

    waiting_position: Annotated[int | None, Mutability.read_only, Returned.default] = None
    """The place in the waiting list."""

    login: _Text = None
    """The address or subject they sign in with."""

    contact_email: _Text = None
    """Where the intranet writes to the employee."""

    findings: Annotated[
        list[str] | None, Mutability.read_only, Returned.request, CaseExact.true
    ] = None
    """What an administrator should look at."""

    invited_at: _Moment = None
    """When the last invitation left."""

    accepted_at: _Moment = None
    """When the invitation was accepted."""

    dismissed_at: _Moment = None
    """When the employee was dismissed."""


WRITABLE = ("mailbox",)
"""What a client may write of it, by its names in JSON; everything else is ours to tell."""
