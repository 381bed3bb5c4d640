"""What the proxies of a benchmark stand on: one folder with a database, rules and configurations, and a meeting server.

Everybody gets the same: the database built from `geodb/demo.csv`, the restrictions of `write_rules`, one trusted proxy.
The measured proxies run on PROXY_CPU, the meeting server beside the client on OTHER_CPU.
"""

import contextlib
import csv
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from bench.processes import OTHER_CPU, PROXY_CPU, NotMeasuredError, free_port, started
from bench.side_by_side import say

HERE = Path(__file__).parent
TABLE = HERE.parent / "geodb/demo.csv"
MODULES = Path("/usr/lib/nginx/modules")


@dataclass(frozen=True, slots=True)
class Proxy:
    """One that is running.

    Attributes:
        pid: of the process whose tree is measured.
        folder: of its own.
    """

    name: str
    port: int
    pid: int
    folder: Path


@dataclass(slots=True)
class Stage:
    """See the module; `stage` makes one."""

    folder: Path
    database: Path
    upstream: int
    processes: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """End the processes that are started inside the block with it."""
        kept = self.processes
        with contextlib.ExitStack() as own:
            self.processes = own
            try:
                yield
            finally:
                self.processes = kept

    def joingate(
        self, name: str = "joingate", *command: str, gate: str = "", geodb: str = "", cpus: str = PROXY_CPU
    ) -> Proxy:
        """Start the gate.

        Args:
            name: of its folder.
            command: what to run with the configuration's path, instead of `joingate serve -c`.
            gate: more lines of that section.
            geodb: likewise.
            cpus: where it runs.
        """
        port, folder = free_port(), self._room(name)
        config = self.write_gate_config(folder, port, gate=gate, geodb=geodb)
        command = (sys.executable, *(command or ("-m", "joingate", "serve", "-c")), str(config))
        return self._start(name, command, port, cpus)

    def write_gate_config(self, folder: Path, port: int, *, gate: str = "", geodb: str = "") -> Path:
        """Write joingate.toml for a gate on `port`; return its path."""
        path = folder / "joingate.toml"
        path.write_text(
            f"""
            [gate]
            listen = ["127.0.0.1:{port}"]
            trusted_proxies = ["127.0.0.1"]
            client_ip_from = "x-forwarded-for"
            {gate}
            [upstream]
            url = "http://127.0.0.1:{self.upstream}"
            [[join]]
            path = "/meetings/{{meeting}}/join"
            participant = "query:user"
            [geodb]
            paths = ["{self.database}"]
            {geodb}
            [rules]
            path = "../rules"
            [admin]
            listen = "127.0.0.1:{free_port()}"
            """
        )
        return path

    def nginx(self, config: str = "nginx") -> Proxy:
        """Start nginx with one of the configurations in `peers/`."""
        port = free_port()
        path = self.fill_in(f"{config}.conf", port, self._room(config))
        return self._start(config, ["nginx", "-c", str(path)], port)

    def haproxy(self) -> Proxy | None:
        """Start HAProxy where it is installed, and say so where it is not."""
        if shutil.which("haproxy") is None:
            say("haproxy is not installed: no row for it (apt-get install haproxy)")
            return None
        port, room = free_port(), self._room("haproxy")
        with TABLE.open() as file:
            rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
        (room / "countries.map").write_text("".join(f"{row['network']} {row['country'] or '-'}\n" for row in rows))
        restricted = (self.folder / "restricted.map").read_text()
        (room / "restricted.map").write_text(restricted.replace('"', "").replace(";", ""))
        path = self.fill_in("haproxy.cfg", port, room)
        return self._start("haproxy", ["haproxy", "-db", "-f", str(path)], port)

    def bare_pair(self) -> Proxy:
        """Start the pair of protocols that is no gate."""
        return self._bare("bare_pair", str(self.database))

    def bare_tunnel(self) -> Proxy:
        """Start the pair of protocols that closes every WebSocket on SIGHUP."""
        return self._bare("bare_tunnel")

    def _bare(self, name: str, *values: str) -> Proxy:
        port = free_port()
        self._room(name)
        command = [sys.executable, str(HERE / f"peers/{name}.py"), str(port), str(self.upstream), *values]
        return self._start(name, command, port)

    def fill_in(self, config: str, port: int, room: Path) -> Path:
        """Write one of the configurations in `peers/` with its @NAMES@ filled in; return its path."""
        text = (HERE / "peers" / config).read_text()
        values = {
            "DIR": room,
            "RULES": self.folder,
            "MODULES": MODULES,
            "DATABASE": self.database,
            "UPSTREAM": self.upstream,
            "PORT": port,
        }
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        path = room / config
        path.write_text(text)
        return path

    def _room(self, name: str) -> Path:
        room = self.folder / name
        room.mkdir(exist_ok=True)
        return room

    def _start(self, name: str, command: Sequence[str], port: int, cpu: str = PROXY_CPU) -> Proxy:
        room = self.folder / name
        pid = self.processes.enter_context(started(command, cpu, port, room / "log"))
        return Proxy(name, port, pid, room)

    def start_upstream(self, *, echo: bool) -> None:
        """Start the meeting server: nginx answering joins, or WebSockets that say everything back."""
        room = self._room("upstream")
        if echo:
            command = [sys.executable, str(HERE / "peers/echo.py"), str(self.upstream)]
        else:
            command = ["nginx", "-c", str(self.fill_in("upstream.conf", self.upstream, room))]
        self._start("upstream", command, self.upstream, OTHER_CPU)


@contextlib.contextmanager
def stage(rules: int, *, echo: bool = False, needs: tuple[str, ...] = ("nginx", "geoip2", "wrk")) -> Iterator[Stage]:
    """Prepare a folder with so many rules and start the meeting server; everything ends with the block."""
    check_installed(needs)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as processes:
        folder = Path(name)
        database = build_database(folder / "demo.mmdb")
        write_rules(folder, rules)
        prepared = Stage(folder, database, free_port(), processes)
        prepared.start_upstream(echo=echo)
        yield prepared


def check_installed(needs: tuple[str, ...]) -> None:
    """Raise NotMeasuredError where a peer or a tool is missing."""
    present: dict[str, Callable[[], bool]] = {
        "nginx": lambda: shutil.which("nginx") is not None,
        "wrk": lambda: shutil.which("wrk") is not None,
        "geoip2": (MODULES / "ngx_http_geoip2_module.so").exists,
    }
    packages = {"nginx": "nginx", "wrk": "wrk", "geoip2": "libnginx-mod-http-geoip2"}
    if missing := [packages[need] for need in needs if not present[need]()]:
        raise NotMeasuredError(f"missing on this machine: apt-get install {' '.join(missing)}")


def build_database(path: Path) -> Path:
    """Build the demo database, as of now."""
    built = path.with_suffix(".new")
    command = [sys.executable, "-m", "joingate", "geodb", "build", str(TABLE), str(built)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    built.replace(path)
    return path


def write_rules(folder: Path, count: int) -> None:
    """Write the same restrictions for all: meeting m000000 and so on, closed to CN."""
    rules = folder / "rules"
    rules.mkdir()
    (rules / "authorities.toml").write_text(
        '[authority.cac]\nname = "An authority"\nbranch = "regulator"\nterritory = ["CN"]\n'
    )
    meetings = [f"m{number:06}" for number in range(count)]
    write_orders(rules / "orders.json", meetings)
    (folder / "restricted.map").write_text("".join(f'"{meeting}:CN" 1;\n' for meeting in meetings))


def write_orders(path: Path, meetings: list[str]) -> None:
    """Write one order for each meeting, in force and closed to CN; the file appears whole."""
    now = datetime.now(UTC).replace(microsecond=0)
    order = {
        "authority": "cac",
        "action": "eject",
        "legal_basis": "Benchmark Act, section 1",
        "reference": "none",
        "received": (now - timedelta(days=2)).date().isoformat(),
        "from": (now - timedelta(days=1)).isoformat(),
        "until": (now + timedelta(days=30)).isoformat(),
    }
    orders = [{**order, "id": f"order-{meeting}", "meetings": [meeting]} for meeting in meetings]
    written = path.with_suffix(".new")
    written.write_bytes(orjson.dumps({"order": orders}))
    written.replace(path)
