"""Users as scim2-models reads what we answer, our extension included."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from scim2_models import CaseExact, Email, EnterpriseUser, Extension, User
from scim2_models.resources.resource import AnyExtension
from scim2_models.urn import URN

from tests.kit.scim_client import OURS


class UsherUser(Extension):
    """Our extension as the schema declares it."""

    __schema__ = URN(OURS)

    state: Annotated[str | None, CaseExact.true] = None
    reason: Annotated[str | None, CaseExact.true] = None
    because: Annotated[str | None, CaseExact.true] = None
    contact_email: Annotated[str | None, CaseExact.true] = None
    mailbox: Annotated[str | None, CaseExact.false] = None
    waiting_position: int | None = None
    login: Annotated[str | None, CaseExact.true] = None
    findings: list[str] | None = None
    invited_at: datetime | None = None
    accepted_at: datetime | None = None
    dismissed_at: datetime | None = None


class AnyEmail(Email):
    """An address that need not be one."""

    value: str | None = None


class AnyUser(User[AnyExtension]):
    """A user with such addresses."""

    emails: list[AnyEmail] | None = None


ReferenceUser = AnyUser[EnterpriseUser | UsherUser]
