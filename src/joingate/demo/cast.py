"""Who takes part, from where, in which meeting: the demo's people and the addresses that place them.

On Linux every address of 127.0.0.0/8 is the machine's own, so a participant binds the address to come from and the
gate sees it as the socket's peer. Nobody has to believe a header. `networks.toml` says where each network is.
"""

from dataclasses import dataclass

ORDERED = "8412345678"
"""The meeting that the order names."""
OTHER = "reading-group"
"""A meeting that nothing names."""
BOARD = "board-2026"
"""A meeting whose host admits the EU and Switzerland only."""
NOWHERE = "-"
"""Of an address that no database places."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address.

    Attributes:
        territory: the code that `networks.toml` gives the address, NOWHERE when it has none.
        address: what the person's sockets are bound to.
        meetings: which meetings the person takes part in, one connection each.
    """

    name: str
    territory: str
    address: str
    meetings: tuple[str, ...] = (ORDERED,)


CAST = (
    Person("Mei", "CN", "127.86.0.11"),
    Person("Jun", "CN", "127.86.0.12", (ORDERED, OTHER)),
    Person("Kit", "HK", "127.85.2.11"),
    Person("Ya-ting", "TW", "127.88.6.11"),
    Person("Ruth", "US", "127.1.0.11"),
    Person("Olena", "UA", "127.38.0.11"),
    Person("Sam", NOWHERE, "127.0.7.11"),
    Person("Jonas", "DE", "127.49.0.11", (OTHER,)),
)
"""Eight participants from six territories, one of them from nowhere known. Jun is in two meetings."""

KNOCKING = (
    Person("Bo", "CN", "127.86.0.21", (ORDERED,)),
    Person("Wing", "HK", "127.85.2.21", (ORDERED,)),
    Person("Ana", "MO", "127.85.3.21", (ORDERED,)),
    Person("Max", NOWHERE, "127.0.7.21", (ORDERED,)),
    Person("Lan", "CN", "127.86.0.22", (OTHER,)),
    Person("Lena", "DE", "127.49.0.21", (BOARD,)),
    Person("Will", "US", "127.1.0.21", (BOARD,)),
)
"""Those who come to the door while the order is in force."""

DOORS = (
    Person("China", "CN", "127.86.0.31"),
    Person("Hong Kong", "HK", "127.85.2.31"),
    Person("Macao", "MO", "127.85.3.31"),
    Person("Taiwan", "TW", "127.88.6.31"),
    Person("United States", "US", "127.1.0.31"),
    Person("Germany", "DE", "127.49.0.31"),
    Person("Ukraine", "UA", "127.38.0.31"),
    Person("nowhere known", NOWHERE, "127.0.7.31"),
)
"""Where a browser can join as from, with `--keep`."""
