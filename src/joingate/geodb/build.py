"""Building an MMDB file from a source table: the demo database, or an operator's own networks.

A table is comma-separated text without quotes, its first line
`network,continent,country,subdivision,registered_country`; lines that begin with `#` are comments. Only `network` and
`continent` must be filled in: a network without a country is one whose place is not known more closely, and
`registered_country` says who registered it where that is not `country`.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mmdb_writer
import pycountry
from netaddr import IPNetwork, IPSet  # type: ignore[import-untyped]  # it has no annotations

from joingate.core.client_address import Network
from joingate.core.errors import RefusedInputError
from joingate.core.territory import COUNTRIES, refuse_code
from joingate.geodb.network import read_network

_COLUMNS = ("network", "continent", "country", "subdivision", "registered_country")
_CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}

_Record = dict[str, Any]


class _Writer(mmdb_writer.MMDBWriter):
    """Writes a build_epoch of our own, so that the same table makes the same bytes."""

    def __init__(self, database_type: str, build_epoch: int) -> None:
        super().__init__(
            ip_version=6, ipv4_compatible=True, database_type=database_type, languages=["en"], description=database_type
        )
        self._build_epoch = build_epoch

    def _build_meta(self) -> dict[str, Any]:
        return {**super()._build_meta(), "build_epoch": self._build_epoch}


def build(source: Path, output: Path, *, build_epoch: int | None = None) -> int:
    """Build the MMDB file `output` from the table `source`, replacing it at once or not at all.

    Args:
        source: the table.
        output: the database, of type joingate-City where some row has a subdivision, else joingate-Country.
        build_epoch: POSIX seconds; now, unless given.

    Returns:
        The number of networks written.

    Raises:
        RefusedInputError: with every problem of the table, each with its line; or `output` cannot be written.
    """
    records = _read(source)
    kind = "City" if any("subdivisions" in record for record in records.values()) else "Country"
    writer = _Writer(f"joingate-{kind}", int(time.time()) if build_epoch is None else build_epoch)
    # A network inside another must come after it: the writer lets the later one win.
    for network in sorted(records, key=lambda net: (net.version, net.prefixlen, net.network_address.packed)):
        writer.insert_network(IPSet([IPNetwork(str(network))]), records[network])
    try:
        _replace(output, writer)
    except OSError as error:
        raise RefusedInputError(f"{output}: cannot be written ({error.strerror}); name another output") from None
    return len(records)


def _replace(output: Path, writer: _Writer) -> None:
    """Write beside `output`, then rename: whoever watches it sees the old file or the new one, whole."""
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        writer.to_db_file(str(beside))
        _sync(beside)
        beside.replace(output)
        _sync(output.parent)
    finally:
        beside.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _read(source: Path) -> dict[Network, _Record]:
    """Read the table into records of the MaxMind city layout."""
    try:
        lines = source.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise RefusedInputError(f"{source}: cannot be read ({error.strerror}); name a source table") from None
    except UnicodeDecodeError:
        raise RefusedInputError(f"{source}: not UTF-8 text; name a source table") from None
    rows = list(_rows(lines))
    header = ",".join(_COLUMNS)
    if not rows or tuple(rows[0][1]) != _COLUMNS:
        at = rows[0][0] if rows else 1
        raise RefusedInputError(f'{source}:{at}: no header; write "{header}" as the first line')
    records: dict[Network, _Record] = {}
    problems = []
    for number, row in rows[1:]:
        try:
            network, record = _read_row(row)
            if network in records:
                raise ValueError(f'"{network}" is in the table already; keep one of the two')  # noqa: TRY301  same report
            records[network] = record
        except ValueError as error:
            problems.append(f"{source}:{number}: {error}")
    if not problems and not records:
        problems.append(f'{source}: holds no networks; write rows such as "203.0.113.0/24,EU,DE,,"')
    if problems:
        raise RefusedInputError(problems)
    return records


def _rows(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield number, [cell.strip() for cell in line.split(",")]


def _read_row(row: list[str]) -> tuple[Network, _Record]:
    """Turn a row into a network and its record.

    Raises:
        ValueError: what is wrong with the row and what to write instead.
    """
    if len(row) != len(_COLUMNS):
        raise ValueError(f"{len(row)} columns; write {len(_COLUMNS)}: {','.join(_COLUMNS)}")
    network = read_network(row[0])
    _, continent, country, subdivision, registered = row
    if continent not in _CONTINENTS:
        raise ValueError(f'continent "{continent}" is none; write one of {" ".join(_CONTINENTS)}')
    record: _Record = {"continent": {"code": continent, "names": {"en": _CONTINENTS[continent]}}}
    if country:
        record["country"] = _country("country", country)
    if subdivision:
        record["subdivisions"] = [_subdivision(country, subdivision)]
    if registered or country:
        record["registered_country"] = _country("registered_country", registered or country)
    return network, record


def _country(column: str, code: str) -> _Record:
    if code not in COUNTRIES:
        why = refuse_code(code) or f'"{code}" is no country; write an ISO 3166-1 alpha-2 code such as "DE"'
        raise ValueError(f"{column}: {why}")
    known = pycountry.countries.get(alpha_2=code)
    name = "Kosovo" if known is None else getattr(known, "common_name", known.name)  # XK is not in ISO 3166-1
    return {"iso_code": code, "names": {"en": name}}


def _subdivision(country: str, code: str) -> _Record:
    if (why := refuse_code(code)) is not None:
        raise ValueError(f"subdivision: {why}")
    known = pycountry.subdivisions.get(code=code)  # type: ignore[no-untyped-call]  # half of pycountry is annotated
    if known is None:
        raise ValueError(f'subdivision: ISO 3166-2 has no "{code}"; write one it has, or leave the column empty')
    if known.country_code != country:
        raise ValueError(f'subdivision: "{code}" is not in "{country}"; write "{known.country_code}" as the country')
    return {"iso_code": code.partition("-")[2], "names": {"en": known.name}}
