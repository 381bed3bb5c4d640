"""Who comes, and from where: addresses out of the source tables, behind the trusted proxy or without it."""

import ipaddress
import random
import time
from dataclasses import dataclass
from pathlib import Path

from joingate.core.model import Address
from joingate.geodb.build import build
from tests.conftest import TABLES

OTHERS = ("10.0.3.4", "198.17.0.9", "2001:db8:7777::1", "2002:a56:102::1", "2001:0:a56:102::1", "::ffff:10.86.9.9")
"""Nowhere, twice; in no network; a 6to4 and a Teredo address around one of CN's; and one of CN's, mapped."""

_RULED = ("CN", "DE", "FR", "CH", "UA", "SG", "KR", "HK")
"""Whom rules speak of; half of all visitors come from there."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One client address, and how the gate comes to know of it.

    Attributes:
        address: the true one.
        source: to connect from; None where a trusted proxy (127.0.0.1) passes the request on.
        header: X-Forwarded-For's value; what a client without a proxy writes there is a lie.
        is_forged: whether it names an address that is not to be believed.
    """

    address: Address
    source: str | None
    header: str
    is_forged: bool


class Population:
    """All networks of the two source tables."""

    def __init__(self, drawn: random.Random) -> None:
        self._drawn = drawn
        rows = [
            line.split(",")
            for name in ("demo.csv", "second.csv")
            for line in (TABLES / name).read_text().splitlines()
            if line[:1].isdigit()
        ]
        self._all = sorted({row[0] for row in rows})
        self._ruled = sorted({row[0] for row in rows if row[2] in _RULED})

    def draw(self, *, behind_proxy: bool = False) -> Visitor:
        """Return somebody.

        Args:
            behind_proxy: whether only those will do who come through the proxy.
        """
        drawn = self._drawn
        while True:
            address = self._address()
            is_local = address in ipaddress.ip_network("127.0.0.0/8") if address.version == 4 else False
            if not is_local:
                return self._through_proxy(address)
            if not behind_proxy:
                return Visitor(address, str(address), str(self._address()), is_forged=True)
            if drawn.random() < 0.5:
                return self._through_proxy(address)

    def _through_proxy(self, address: Address) -> Visitor:
        drawn = self._drawn
        spelt = str(address)
        if address.version == 4 and drawn.random() < 0.1:
            spelt += ":4711"
        is_forged = drawn.random() < 0.2
        if is_forged:  # what the client wrote stands further left
            spelt = f"{self._address()}, {spelt}"
        return Visitor(address, None, spelt, is_forged)

    def _address(self) -> Address:
        drawn = self._drawn
        if drawn.random() < 0.05:
            return ipaddress.ip_address(drawn.choice(OTHERS))
        network = ipaddress.ip_network(drawn.choice(self._ruled if drawn.random() < 0.5 else self._all))
        # Few of each network: what the oracle keeps of addresses is bounded.
        first = 1 + drawn.randrange(min(20, network.num_addresses - 2))
        return network.network_address + first


def databases(folder: Path) -> tuple[Path, Path]:
    """Build the two databases; built at the same moment, each may follow the other."""
    found = folder / "demo.mmdb", folder / "second.mmdb"
    now = int(time.time())
    for path in found:
        build(TABLES / f"{path.stem}.csv", path, build_epoch=now)
    return found
