"""A check of a directory, step by step; the first step that fails is the last."""

from __future__ import annotations

import shlex
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple

import ldap3

from connectors.ldap.changes.reading import Changes
from connectors.ldap.connection import (
    PAGED_RESULTS,
    bind,
    close,
    connect,
    detect,
    open_connection,
    root_dse,
)
from connectors.ldap.presets import LdapPreset, load_preset
from connectors.ldap.reading import Search
from connectors.ldap.scoping import Scope
from connectors.ldap.settings import LdapSettings
from connectors.sampling import sampled
from provisioning.domain.errors import ProvisioningError, SourceError
from provisioning.domain.people import RawPerson
from provisioning.domain.snapshots import DirectorySnapshot
from provisioning.ports import CheckOutcome, CheckReport, CheckStep

SAMPLE = 5
CERTIFICATE_DAYS = 21
"""A certificate that ends earlier is worth a warning: renewing takes companies weeks."""

_DAY = 86_400


class _Found(NamedTuple):
    detail: str
    outcome: CheckOutcome = CheckOutcome.OK


@dataclass
class Check:
    """One check under way."""

    settings: LdapSettings
    make_search: Callable[[LdapPreset], Search]
    see: Callable[[RawPerson], object]
    steps: list[CheckStep] = field(default_factory=list)
    sample: Sequence[RawPerson] = ()
    same_as: str = ""

    def report(self) -> CheckReport:
        """Take every step until one fails."""
        connection = open_connection(self.settings)
        try:
            self._step("connect", lambda: self._connect(connection))
            self._step("bind", lambda: self._bind(connection))
            search = self.make_search(self._detected(connection))
            self.same_as = same_as(search)
            close(connection)
            self._step("search", lambda: self._search(search))
        except ProvisioningError:
            close(connection)
        return CheckReport(steps=self.steps, sample=self.sample, same_as=self.same_as)

    def _step(self, name: str, work: Callable[[], _Found]) -> None:
        began = monotonic()
        try:
            found = work()
        except ProvisioningError as error:
            self._add(name, _Found(str(error), CheckOutcome.FAILED), monotonic() - began)
            raise
        self._add(name, found, monotonic() - began)

    def _add(self, name: str, found: _Found, seconds: float) -> None:
        step = CheckStep(name=name, outcome=found.outcome, detail=found.detail, seconds=seconds)
        self.steps.append(step)

    def _connect(self, connection: ldap3.Connection) -> _Found:
        connect(connection, self.settings)
        where = f"{self.settings.host}:{self.settings.port}"
        if not isinstance(connection.socket, ssl.SSLSocket):
            return _Found(
                f"{where}, in the CLEAR: passwords can be read on the way", CheckOutcome.WARNING
            )
        secured = f"{where}, {connection.socket.version()}"
        certificate = connection.socket.getpeercert()
        if not certificate:
            return _Found(f"{secured}, certificate NOT verified", CheckOutcome.WARNING)
        end = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        soon = end - time.time() < CERTIFICATE_DAYS * _DAY
        return _Found(
            f"{secured}, certificate valid to {datetime.fromtimestamp(end, UTC).date()}"
            f"{': have it renewed' if soon else ''}",
            CheckOutcome.WARNING if soon else CheckOutcome.OK,
        )

    def _bind(self, connection: ldap3.Connection) -> _Found:
        bind(connection, self.settings)
        return _Found(self.settings.bind_dn)

    def _detected(self, connection: ldap3.Connection) -> LdapPreset:
        found: list[LdapPreset] = []
        self._step("detect", lambda: self._detect(connection, found))
        return found[0]

    def _detect(self, connection: ldap3.Connection, found: list[LdapPreset]) -> _Found:
        named = self.settings.preset
        preset = load_preset(detect(connection) if named == "auto" else named)
        found.append(preset)
        how = "by its root DSE" if named == "auto" else "as set"
        controls = root_dse(connection).get("supportedcontrol", ())
        search = self.make_search(preset)
        id_attribute = search.id_attribute
        if PAGED_RESULTS in controls:
            words = f"{preset.title} {how}, paged results, people by {id_attribute}"
            return self._changes(connection, search, words)
        if controls:
            raise SourceError(
                f"{preset.title} {how}, without paged results (RFC 2696): no reading could be "
                "proven complete"
            )
        return _Found(
            f"{preset.title} {how}, people by {id_attribute}; it does not say whether it has "
            "paged results",
            CheckOutcome.WARNING,
        )

    def _changes(self, connection: ldap3.Connection, search: Search, words: str) -> _Found:
        """Add how changes between the nights will be told."""
        if self.settings.changes == "off":
            return _Found(words)
        offered = Changes(search=search, scope="").offered(connection)
        if offered:
            return _Found(f"{words}, {offered}")
        return _Found(
            f"{words}; changes are not told (changes = {self.settings.changes!r}), so people "
            "change at night only",
            CheckOutcome.WARNING,
        )

    def _search(self, search: Search) -> _Found:
        scope = Scope(self.settings)
        snapshot = DirectorySnapshot(search.people(scope))
        self.sample = sampled(snapshot, SAMPLE, self.see)
        proof = snapshot.proof
        if not self.sample:
            raise SourceError(
                f"nobody is there: {proof.detail}. Look at the base, the filter and the rights of "
                "the account; a run would stop here"
            )
        doubtful = scope.unused or not proof.removals_proven
        return _Found(
            f"{proof.detail}   {search.user_filter}",
            CheckOutcome.WARNING if doubtful else CheckOutcome.OK,
        )


def same_as(search: Search) -> str:
    """Return the ldapsearch lines that ask the same, one for each base, without the password."""
    settings = search.settings
    environment = []
    if settings.ca_file:
        environment.append(f"LDAPTLS_CACERT={shlex.quote(str(settings.ca_file))}")
    if settings.tls == "none":
        environment.append("LDAPTLS_REQCERT=never")
    lines = [
        shlex.join(
            [
                "ldapsearch",
                *(["-ZZ"] if settings.start_tls else []),
                *("-H", settings.uri, "-x", "-W", "-D", settings.bind_dn),
                *("-b", base, "-E", f"pr={settings.page_size}/noprompt"),
                *("-L", search.user_filter, *search.wanted),
            ]
        )
        for base in settings.base_dn
    ]
    return "; ".join(" ".join([*environment, line]) for line in lines)
