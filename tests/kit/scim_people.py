"""People as the SCIM layer hands them to the services, without the SCIM layer."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from provisioning.domain.people import DirectoryId, Person
from provisioning.services.scim_resources import ScimUserWrite


def scim_person(number: int) -> Callable[[UUID], ScimUserWrite]:
    """Person `number` of the source "idp"."""

    def build(id_: UUID) -> ScimUserWrite:
        name = f"p{number:03}@corp.example"
        person = Person(
            id=DirectoryId("idp", str(id_)), user_name=name, mail=name, display_name=f"P {number}"
        )
        return ScimUserWrite(
            user_name=name,
            user_name_key=name,
            external_id=str(number),
            display_name_key=None,
            person=person,
            document=b"{}",
            search={},
            email_keys=frozenset(),
        )

    return build
