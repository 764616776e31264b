"""A Postfix box made of texts, and its import."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from postern_command.tables.file import TablesFile
from postern_mail.mail.address import Address
from postern_mail.mail.aliases import Resolution, resolve, unread
from postern_mail.mail.rows import Rows
from postern_postfix.address_parameters import NamedTable
from postern_postfix.importing import ImportRequest, import_postfix
from postern_postfix.maps import Map
from postern_postfix.report import Entry, Report, Verdict
from postern_postfix.source import Table

_OPTIONS = {"aliases": Table.ALIASES, "virtual": Table.VIRTUAL, "access": Table.ACCESS}


@dataclass(frozen=True)
class Imported:
    tables: TablesFile
    report: Report

    @property
    def destinations(self) -> dict[str, list[str]]:
        """By key, of the rows that are switched on."""
        rows = self.tables.aliases.items()
        return {key: row["destinations"] for key, row in rows if row.get("enabled", True)}

    @property
    def switched_off(self) -> set[str]:
        return {key for key, row in self.tables.aliases.items() if not row.get("enabled", True)}

    @property
    def actions(self) -> dict[str, str]:
        return {sender: row["action"] for (sender, _), row in self.tables.senders.items()}

    def leads_to(self, address: str) -> list[str]:
        """Where Postern would send mail for an address; `discard:` is left out."""
        return sorted(map(str, self.resolved(address).destinations))

    def resolved(self, address: str) -> Resolution:
        """What the tables make of an address."""
        rows, domains, parsed = Rows(), self.tables.domains, Address.parse(address)
        while needed := unread([parsed], rows, domains, 0):
            rows.add(self.tables.read(needed, ()))
        return resolve(parsed, rows, domains, 0)

    def entry(self, file: str, line: int) -> Entry:
        (found,) = [
            one
            for one in self.report.entries
            if one.line.file.endswith(file) and one.line.first <= line <= one.line.last
        ]
        return found

    def verdict(self, file: str, line: int) -> Verdict:
        return self.entry(file, line).verdict

    def said(self, file: str, line: int) -> str:
        return "; ".join(f"{part.says} / {part.instead}" for part in self.entry(file, line).parts)


def imported(
    root: Path,
    *domains: str,
    main_cf: str | bytes | None = None,
    files: Mapping[str, str | bytes] | None = None,
    parents: bool | None = None,
    **tables: str | bytes,
) -> Imported:
    """Import texts: the options aliases, virtual and access, main.cf, and files under the root."""
    given: dict[Table, tuple[NamedTable, ...]] = {}
    for name, text in tables.items():
        option, _, kind = name.partition("_")
        path = _write(root / "given" / name, text)
        given[_OPTIONS[option]] = (NamedTable(Map(kind or "hash", str(path))),)
    for name, text in (files or {}).items():
        _write(root / name.lstrip("/"), text)
    config = None if main_cf is None else _write(root / "given" / "main.cf", main_cf)
    asked = ImportRequest(domains or ("example.com",), given, config, root, parents)
    return Imported(*import_postfix(asked))


def _write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path
