"""Overrides: what the operator knows better than the databases, network by network. The longest prefix wins."""

from collections.abc import Mapping
from pathlib import Path

import tomli

from joingate.core.client_address import Network
from joingate.core.errors import RefusedInputError
from joingate.core.location import place
from joingate.core.model import UNKNOWN, Address, Cause, Location
from joingate.core.territory import COUNTRIES, GROUPS, refuse_code
from joingate.geodb.network import read_network

_UNPLACED = "unknown"
_EXAMPLE = '"DE", a part of one such as "UA-43", or "unknown"'


class Overrides:
    """Immutable; an address costs one dict access for each distinct prefix length of its IP version.

    Attributes:
        codes: every ISO 3166-1 and 3166-2 code that some override answers.
    """

    __slots__ = ("_count", "_v4", "_v6", "codes")

    def __init__(self, places: Mapping[Network, Location]) -> None:
        self._v4 = _tables({net: where for net, where in places.items() if net.version == 4}, 32)
        self._v6 = _tables({net: where for net, where in places.items() if net.version == 6}, 128)
        self._count = len(places)
        self.codes = frozenset(
            code for where in places.values() for code in (where.country, where.subdivision) if code is not None
        )

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Overrides) and (self._v4, self._v6) == (other._v4, other._v6)

    __hash__ = None  # type: ignore[assignment]  # nobody keys by it

    def get(self, address: Address) -> Location | None:
        """Return what the longest prefix that holds `address` says, or None where none does."""
        number = int(address)
        for shift, places in self._v4 if address.version == 4 else self._v6:
            if (found := places.get(number >> shift)) is not None:
                return found
        return None


_Tables = tuple[tuple[int, dict[int, Location]], ...]


def _tables(places: Mapping[Network, Location], bits: int) -> _Tables:
    """Sort networks by length, longest first: (bits to drop, leading bits -> location)."""
    by_shift: dict[int, dict[int, Location]] = {}
    for network, where in places.items():
        shift = bits - network.prefixlen
        by_shift.setdefault(shift, {})[int(network.network_address) >> shift] = where
    return tuple(sorted(by_shift.items()))


def load_overrides(path: Path) -> Overrides:
    """Read an overrides file: one table, `[networks]`, of network = code.

    Raises:
        RefusedInputError: with every problem of the file.
    """
    try:
        with path.open("rb") as file:
            written = tomli.load(file)
    except OSError as error:
        raise RefusedInputError(
            f"{path}: cannot be read ({error.strerror}); correct [geodb] overrides or remove that key"
        ) from None
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RefusedInputError(f'{path}: not TOML: {error}; write lines such as "203.0.113.0/24" = "DE"') from None
    problems = [f"{path}: {key}: unknown key; the only table is [networks]" for key in written if key != "networks"]
    networks = written.get("networks", {})
    if not isinstance(networks, dict):
        problems.append(f'{path}: networks: not a table; write [networks] and under it "203.0.113.0/24" = "DE"')
        networks = {}
    places: dict[Network, Location] = {}
    for key, value in networks.items():
        try:
            network, where = read_network(key), _read_place(value)
        except ValueError as error:
            problems.append(f"{path}: networks.{key}: {error}")
            continue
        if network in places:
            problems.append(f'{path}: networks.{key}: the same network as another key; keep one, "{network}"')
        places[network] = where
    if problems:
        raise RefusedInputError(problems)
    return Overrides(places)


def _read_place(value: object) -> Location:
    """Turn a code into a location.

    Raises:
        ValueError: `value` is not one place, with what to write instead.
    """
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a code in quotes; write a country such as {_EXAMPLE}")  # noqa: TRY004  bad input, not a misuse
    if value == _UNPLACED:
        return UNKNOWN[Cause.COUNTRY_MISSING]
    if value in GROUPS:
        raise ValueError(f'"{value}" is a group, and a network lies in one place; write a country such as {_EXAMPLE}')
    if (refusal := refuse_code(value)) is not None:
        raise ValueError(refusal)
    return place(value) if value in COUNTRIES else place(value[:2], value)
