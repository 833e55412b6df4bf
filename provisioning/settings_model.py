"""What an administrator may set, table by table.

The docstrings below are the comments of config/default.toml: `make docs` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    model_validator,
)

from provisioning.domain.keys import CorrelationKey
from provisioning.domain.policy import ContactPolicy, StaleInvitations, WhenFull
from provisioning.domain.precedence import Attribute
from provisioning.settings_types import (
    DatabaseUrl,
    Days,
    Expression,
    Folded,
    Interval,
    Minutes,
    Nights,
    People,
    Percent,
    PublicUrl,
    SecretKey,
    Sender,
    SourceName,
    TimeZone,
)

NOBODY = "usher@localhost"
"""The sender of letters that are only kept."""


class Table(BaseModel):
    """Settings that belong together; read once, never changed, and no key without a meaning."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
    )


class DatabaseSettings(Table):
    """Where everything is kept."""

    url: DatabaseUrl = Field(default="sqlite:///data/usher.db", repr=False)
    """sqlite:///PATH for one machine, postgresql://USER:PASSWORD@HOST/NAME for any number."""


class WebSettings(Table):
    """The web server."""

    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 behind a proxy or in a container."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port to listen on."""

    public_url: PublicUrl = "http://127.0.0.1:8080"
    """Where people reach it, for links in letters. Without it: http://127.0.0.1:PORT."""

    workers: PositiveInt = 1
    """Processes; one for each core."""

    trusted_hosts: tuple[str, ...] = ()
    """Host names requests may ask for; empty means that of public_url."""

    secret_key: SecretKey = SecretStr("")
    """Signs sessions and invitation links: 32 random characters or more, the same on every
    machine. Without it one machine makes its own and keeps it with the data."""


class LogSettings(Table):
    """What the process writes down on standard error."""

    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        BeforeValidator(lambda text: str(text).upper()),
    ] = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    format: Literal["text", "json"] = "text"
    """text for people, json for machines."""


class IntranetSettings(Table):
    """The intranet people are invited to."""

    name: str = Field(default="Intranet", min_length=1)
    """What letters and pages call it."""

    slug: str = Field(default="main", pattern=r"^[a-z0-9][a-z0-9-]*$")
    """What addresses and commands call it."""

    time_zone: TimeZone = "UTC"
    """Nights begin and letters show times in this zone. Without it: TZ, else UTC."""


class MailSettings(Table):
    """How letters leave."""

    mode: Literal["outbox", "smtp"] = "outbox"
    """outbox keeps letters for reading and writes to nobody; smtp sends them. With an smtp_url
    it is smtp."""

    smtp_url: SecretStr = SecretStr("")
    """smtp://HOST:25, or smtp://USER:PASSWORD@HOST:587, or smtps://USER:PASSWORD@HOST:465."""

    sender: Sender = NOBODY
    """Who letters are from: "Intranet <intranet@corp.example>"."""

    @model_validator(mode="after")
    def _can_send(self) -> MailSettings:
        if self.mode == "smtp" and not self.smtp_url.get_secret_value():
            raise ValueError('mode = "smtp" needs smtp_url (SMTP_URL)')
        if self.mode == "smtp" and self.sender == NOBODY:
            raise ValueError('mode = "smtp" needs sender (MAIL_FROM)')
        return self


class SeatSettings(Table):
    """The licence."""

    limit: People | None = Field(default=None, examples=[250])
    """Seats there are. Once set, it stays until another is set; before, there is no limit."""

    when_full: WhenFull = WhenFull.WAIT
    """wait puts newcomers on the waiting list, reject answers with an error."""

    priority: tuple[str, ...] = Field(default=(), examples=[["Board", "Sales"]])
    """Departments whose people come first on the waiting list, in this order."""

    stale_after_days: Days = 10
    """Unaccepted invitations this old are proposed for removal when seats are short."""

    stale_invitations: StaleInvitations = StaleInvitations.PROPOSE
    """propose leaves it to an administrator, remove does it when somebody waits for the seat."""


class LimitSettings(Table):
    """How many people one run may dismiss; more are held for approval."""

    dismiss_percent: Percent = 5.0
    """Of the source's people who hold a seat. Three are always allowed."""

    dismiss_count: People | None = Field(default=None, examples=[20])
    """The same as a number; the smaller of the two counts."""

    rolling_percent: Percent = 10.0
    """Within seven days, over all runs and doors."""


class DepartureSettings(Table):
    """How long somebody who is gone is given to come back."""

    disabled_grace_nights: Nights = 0
    """Nights between being disabled in the directory and dismissal."""

    missing_grace_nights: Nights = 1
    """Nights between vanishing from the directory and dismissal."""


class InvitationSettings(Table):
    """The life of an invitation."""

    grace_minutes: Minutes = 10
    """Between decision and letter; whoever is gone within it is not written to."""

    expires_days: Days = 14
    """From the letter on; an expired invitation gives its seat back."""

    reminder_days: Days = 5
    """From the letter to the one reminder."""

    cool_down_minutes: Minutes = 60
    """Between two letters to one person that an administrator asks for."""


class PeopleSettings(Table):
    """Who is who, and who may be written to."""

    verified_domains: tuple[Folded, ...] = ()
    """Mail domains of the company; people elsewhere are not invited. Empty: all may be."""

    old_domains: tuple[Folded, ...] = ()
    """Mail domains the company had before: an address there is explained, not a riddle."""

    correlation_keys: tuple[CorrelationKey, ...] = tuple(CorrelationKey)
    """What somebody new is looked up by among the employees; a key that is left out is not used."""

    link_weak_keys: bool = False
    """Whether an equal user name or mail is enough to link a person to an employee."""

    contact_email: ContactPolicy = ContactPolicy.FLAG
    """flag reports a contact e-mail that differs from the directory; follow_directory sets it."""

    protected: tuple[Folded, ...] = ()
    """User names, addresses or directory ids that no run and no provider may dismiss."""

    department_groups: Expression = Field(default="", examples=["^Dept (.+)$"])
    """Names of pushed groups that are departments, as an expression; the others are teams."""


class ScheduleSettings(Table):
    """What runs when."""

    nightly_at: time = time(2, 0)
    """Local time of the nightly run of every source."""

    changes_minutes: Interval = 5
    """Between looks at what changed in directories that can tell; everyone is read at night."""

    delivery_seconds: Interval = 5
    """Between looks into the outbox."""

    upkeep_minutes: Interval = 15
    """Between looks at invitations, seats and the waiting list."""


class SourceSettings(Table):
    """A system that vouches for people, one table for each: [sources.NAME]."""

    name: SourceName
    type: Literal["ldap", "ldif", "scim"]
    first_run: Literal["plan", "apply"] = "plan"
    """plan holds everything until an administrator releases the source."""

    authoritative: bool = True
    """Whether somebody linked to several sources leaves when this one says so."""

    owns: tuple[Attribute, ...] = ()
    """Attributes it has the say about, whoever is authoritative: display_name, department, title,
    mailbox, starts_at, mail, manager. It counts for a person from the next change on."""

    mapping: Mapping[str, Any] = Field(default_factory=dict)
    """Rules that override the preset's: field = "attribute", or field = { expr = "CEL" }."""

    mapping_file: Path | None = Field(default=None, examples=["config/mapping.toml"])
    """A TOML file with a [mapping] table, between the preset and `mapping`."""

    options: Mapping[str, Any] = Field(default_factory=dict, repr=False)
    """Every other key: the connector knows what they mean, and refuses what it does not."""

    @model_validator(mode="before")
    @classmethod
    def _gather_options(cls, table: Any) -> Any:
        if not isinstance(table, Mapping):
            return table
        known = cls.model_fields.keys() - {"options"}
        own = {key: value for key, value in table.items() if key in known}
        return own | {"options": {k: value for k, value in table.items() if k not in known}}
