"""The folder the gate runs from: its database, joingate.toml and rules, as an operator would write them."""

from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

from joingate.demo.cast import BOARD, ORDERED
from joingate.geodb.build import build

ORDER_ID = "cac-demo-1"
POLICY_ID = "board-eu-and-ch"

_SETTINGS = """\
[gate]
listen = ["127.0.0.1:{gate_port}"]

[upstream]
url = "http://127.0.0.1:{upstream_port}"

[[join]]
path = "/meetings/{{meeting}}/join"
participant = "query:user"

[geodb]
paths = ["demo.mmdb"]

[rules]
path = "rules/"

[ledger]
path = "ledger/"

[admin]
listen = "127.0.0.1:{admin_port}"
"""

_AUTHORITIES = """\
[authority.cac]
name = "Cyberspace Administration of China"
branch = "regulator"
territory = ["CN"]
"""

_BOARD = f"""\
[[host_policy]]
id = "{POLICY_ID}"
meetings = ["{BOARD}"]
allow = ["EU", "CH"]
action = "reject"
"""

_ORDER = f"""\
[[order]]
id = "{ORDER_ID}"
authority = "cac"
territory = ["CN"]
meetings = ["{ORDERED}"]
action = "eject"
legal_basis = "Cybersecurity Law, article 50"
reference = "demonstration"
received = {{received}}
from = {{opens}}
until = {{closes}}
asked = {{{{ objects = ["meeting", "account"], territory = ["CN", "HK"] }}}}
"""


class Folder:
    """The files in one folder, and the order that comes and goes in it.

    Attributes:
        settings: joingate.toml.
        order: where the order stands while it is in the rules.
        ledger: what the gate keeps on record.
    """

    def __init__(self, path: Path) -> None:
        self.settings = path / "joingate.toml"
        self.order = path / "rules" / "order.toml"
        self.ledger = path / "ledger"
        self._path = path

    def lay_out(self, *, gate_port: int, upstream_port: int, admin_port: int) -> None:
        """Build the database and write everything but the order."""
        with as_file(files("joingate.demo").joinpath("networks.csv")) as networks:
            build(networks, self._path / "demo.mmdb")
        self.settings.write_text(
            _SETTINGS.format(gate_port=gate_port, upstream_port=upstream_port, admin_port=admin_port), encoding="utf-8"
        )
        rules = self._path / "rules"
        rules.mkdir()
        (rules / "authorities.toml").write_text(_AUTHORITIES, encoding="utf-8")
        (rules / "board.toml").write_text(_BOARD, encoding="utf-8")

    def put_order(self) -> None:
        """Write the order, in force from a minute ago until tomorrow, beside the rules and move it in."""
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        text = _ORDER.format(
            received=now.date(),
            opens=f"{now - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
            closes=f"{now + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        )
        beside = self._path / "order.toml"
        beside.write_text(text, encoding="utf-8")
        beside.replace(self.order)

    def lift_order(self) -> None:
        """Remove the order: that is all that lifting it takes."""
        self.order.unlink(missing_ok=True)
