"""Requests whose framing can be read in more than one way, all of them by name; and what does harm without a gate."""

from typing import Final

from tests.integration.framing_bodies import CHUNKS, CODINGS, LENGTHS
from tests.integration.framing_heads import EXPECTATIONS, FORMS, LINES, UPGRADES, VERSIONS
from tests.integration.framing_rows import Row

ROWS: Final[dict[str, Row]] = {
    f"{group}: {name}": row
    for group, rows in {
        "lengths": LENGTHS,
        "codings": CODINGS,
        "chunks": CHUNKS,
        "lines": LINES,
        "forms": FORMS,
        "versions": VERSIONS,
        "upgrades": UPGRADES,
        "expectations": EXPECTATIONS,
    }.items()
    for name, row in rows.items()
}

HARMFUL: Final = {
    "uvicorn": ROWS["codings: both"].payload,
    "nginx": ROWS["chunks: a trailer folded"].payload,
    "gunicorn": ROWS["upgrades: keep-alive and close"].payload,
}
"""What lets the hidden request through to a server where no gate stands before it."""
