"""An LDIF export as a source of people: a directory without a password."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import monotonic

from connectors.ldif.records import Record, read_records
from connectors.ldif.settings import LdifSettings
from connectors.sampling import sampled, unseen
from provisioning.domain.addresses import without_smtp
from provisioning.domain.errors import MarkError, ProvisioningError
from provisioning.domain.people import RawPerson
from provisioning.domain.places import units_above
from provisioning.domain.snapshots import DirectoryChanges, DirectorySnapshot, SnapshotProof
from provisioning.ports import CheckOutcome, CheckReport, CheckStep, FoundPerson

SAMPLE = 5


@dataclass(frozen=True)
class LdifDirectory:
    """Reads everyone in a file, completely or not at all."""

    name: str
    settings: LdifSettings
    attributes: Collection[str]
    """What the mapping needs, in the mapping's spelling."""

    names: Collection[str] = ()
    """Those of them by which people are called: user name, mail, aliases, number."""

    def read(self) -> DirectorySnapshot:
        """Begin to read everyone; without an end mark, removals are not proven."""
        return DirectorySnapshot(self._reading())

    def _reading(self) -> Generator[RawPerson, None, SnapshotProof]:
        records = read_records(self.settings.path)
        people = nameless = 0
        while True:
            try:
                record = next(records)
            except StopIteration as end:
                return self._proof(people, nameless, promised=end.value)
            if self._is_person(record):
                people += 1
                nameless += not _named(record, self.settings.id_attribute)
                yield self._person(record)

    def _proof(self, people: int, nameless: int, promised: int | None) -> SnapshotProof:
        """Say what was proven: whoever has no id here may be anybody who seems to be missing."""
        path = self.settings.path
        end = f"its end counts {promised:,} entries" if promised is not None else "no end mark"
        without = f"; {nameless:,} without {self.settings.id_attribute}" if nameless else ""
        return SnapshotProof(
            entries=people,
            removals_proven=promised is not None and not nameless,
            detail=f"{people:,} people in {path.name}; {end}{without}",
        )

    def _is_person(self, record: Record) -> bool:
        wanted = {name.lower() for name in self.settings.person_classes}
        found = _named(record, "objectClass")
        return any(value.decode("ascii", "replace").lower() in wanted for value in found)

    def _person(self, record: Record) -> RawPerson:
        attributes: dict[str, tuple[str, ...]] = {}
        problems = []
        for name in self.attributes:
            try:
                values = tuple(value.decode() for value in _named(record, name))
            except UnicodeDecodeError:
                problems.append(f"{name} is not UTF-8 text")
                continue
            if values:
                attributes[name] = values
        for name in self.attributes:
            if name.lower() == "ou_path" and (units := self._units(record.dn)):
                attributes[name] = units
        ids = _named(record, self.settings.id_attribute)
        if not ids:
            problems.append(f"there is no {self.settings.id_attribute}")
        anchor = ids[0].decode("ascii", "replace").lower() if ids else f"line {record.line}"
        # No database keeps a NUL in a text; a DN can say it in another way.
        anchor, where = anchor.replace("\0", "\ufffd"), record.dn.replace("\0", "\\00")
        return RawPerson(anchor, where, attributes, "; ".join(problems) or None)

    @cached_property
    def _units(self) -> Callable[[str], tuple[str, ...]]:
        return units_above([self.settings.base_dn])

    @property
    def scope(self) -> str:
        """Who is read, as a digest: the classes that are people; the path may be another."""
        settings = self.settings
        words = [*sorted(settings.person_classes), settings.id_attribute, settings.base_dn]
        return hashlib.blake2b("\n".join(words).encode(), digest_size=8).hexdigest()

    @property
    def offers_changes(self) -> bool:
        """An export tells everyone, and nothing else."""
        return False

    def changes(self, mark: str) -> DirectoryChanges:
        """Refuse every mark.

        Raises:
            MarkError: Always.
        """
        raise MarkError(f"an export tells no changes since {mark!r}; read everyone")

    def find(self, words: str) -> Sequence[FoundPerson]:
        """Look somebody up by id, DN, user name, mail, alias or number, whole and in any case.

        Raises:
            SourceError: The file is cut short or damaged.
        """
        wanted = words.strip().lower()
        found = []
        for record in read_records(self.settings.path):
            raw = self._person(record)
            if wanted in self._names_of(raw):
                found.append(self._found(raw, in_scope=self._is_person(record)))
        return found

    def _found(self, raw: RawPerson, *, in_scope: bool) -> FoundPerson:
        where = f"in {self.settings.path.name}"
        if not in_scope:
            classes = ", ".join(self.settings.person_classes)
            where += f", but of none of the classes that are people: {classes}"
        return FoundPerson(raw=raw, in_scope=in_scope, scope=where)

    def _names_of(self, raw: RawPerson) -> set[str]:
        values = (value for name in self.names for value in raw.attributes.get(name, ()))
        return {raw.anchor, raw.where.lower(), *(without_smtp(each).lower() for each in values)}

    def check(self, see: Callable[[RawPerson], object] = unseen) -> CheckReport:
        """Read the file to its end."""
        began = monotonic()
        snapshot = self.read()
        try:
            sample = sampled(snapshot, SAMPLE, see)
        except ProvisioningError as error:
            step = CheckStep(
                name="read",
                outcome=CheckOutcome.FAILED,
                detail=str(error),
                seconds=monotonic() - began,
            )
            return CheckReport(steps=[step])
        proof = snapshot.proof
        step = CheckStep(
            name="read",
            outcome=CheckOutcome.OK if proof.removals_proven else CheckOutcome.WARNING,
            detail=proof.detail,
            seconds=monotonic() - began,
        )
        return CheckReport(steps=[step], sample=sample)


def _named(record: Record, name: str) -> list[bytes]:
    """Return an attribute's values; names are spelled in any case (RFC 4512)."""
    values = record.attributes.get(name)
    if values is not None:
        return values
    folded = name.lower()
    return [
        value
        for spelled, found in record.attributes.items()
        if spelled.lower() == folded
        for value in found
    ]
