"""A short soak loses nothing; a broken gate loses what it must; and whoever stops it gets the table so far."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from bench.processes import tree

from tests.conftest import ROOT
from tests.edges.served import environment
from tests.edges.worker_processes import children
from tests.soak.account import Row

pytestmark = pytest.mark.integration

LIMIT = 240
"""Seconds after which a soak of some seconds is stuck."""

SOON, LATER = "0.15", "0.8"
"""Minutes: what a join shows, and what takes an ejection."""

_ROW = re.compile(r"^\| (?P<title>.+?) \| (?P<count>[0-9,]+) \| .+ \| (?P<lost>[0-9,]+) \|$", re.MULTILINE)


@contextmanager
def soaking(*options: str, path: Path | None = None) -> Iterator["subprocess.Popen[str]"]:
    """Start a soak; it is stopped in the end, with all that it has started."""
    own = ":".join(map(str, filter(None, (path, ROOT / "src"))))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.soak", *options],
        cwd=ROOT,
        env=environment(PYTHONPATH=own),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def soaked(*options: str, path: Path | None = None) -> tuple[int, str]:
    """Run a soak to its end; return its exit status and what it prints."""
    with soaking(*options, path=path) as process:
        out, errors = process.communicate(timeout=LIMIT)
    assert "Traceback" not in errors, errors
    return process.returncode, out


def counts(table: str) -> dict[str, tuple[int, int]]:
    """Return what was tried and what was lost, by title."""
    return {row["title"]: (_number(row["count"]), _number(row["lost"])) for row in _ROW.finditer(table)}


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def test_a_short_soak_loses_nothing(tmp_path: Path) -> None:
    report, series = tmp_path / "soak.md", tmp_path / "soak.json"
    status, out = soaked("--minutes", "1", "--seed", "2", "--report", str(report), "--series", str(series))
    assert status == 0, out
    assert report.read_text() == out
    found = counts(out)
    for row in (Row.KEPT, Row.NEW, Row.WEBSOCKET, Row.FORGED, Row.MESSAGES, Row.CONNECTIONS, Row.EJECTIONS):
        assert found[row.title][0] > 0, row
    for row in (Row.RULES, Row.MALFORMED, Row.VANISHED, Row.SLOW_READERS, Row.RECEIPTS, Row.AUDITED, Row.LEDGER):
        assert found[row.title][0] > 0, row
    document = json.loads(series.read_text())
    assert len(document["samples"]) >= 60
    assert document["columns"][:2] == ["at", "resident"]
    assert document["is_growing"] is False
    assert series.with_suffix(".svg").read_text().startswith("<svg ")


def test_a_steady_run_changes_nothing(tmp_path: Path) -> None:
    series = tmp_path / "steady.json"
    status, out = soaked("--minutes", "0.2", "--steady", "--series", str(series))
    assert status == 0, out
    found = counts(out)
    assert found[Row.KEPT.title][0] > 0
    assert not {row.title for row in (Row.RULES, Row.DATABASES, Row.FAULTS, Row.MALFORMED)} & found.keys()
    assert json.loads(series.read_text())["slope_kb_per_minute"] is None


# What is done to the gate's process alone: the oracle asks the core itself, not the gate's name for it.
BREAKS: dict[str, tuple[str, Row, str]] = {
    "one of five is admitted who is to be rejected": (
        """
import itertools
import joingate.gate.gate as it
was, count = it.decide, itertools.count()
def decide(join, where, rules, now):
    found = was(join, where, rules, now)
    is_spared = found.verdict is it.Verdict.REJECT and next(count) % 5 == 4
    return was(join, where, it.RuleSet(), now) if is_spared else found
it.decide = decide
""",
        Row.KEPT,
        SOON,
    ),
    "one more is ejected than a rule means": (
        """
import joingate.gate.gate as it
from joingate.core.decision import Decision
was = it.denied_among
def denied_among(present, rules, now):
    found = was(present, rules, now)
    others = [each for each in present if each.is_inside and each not in {one for one, _ in found}]
    return found + [(each, Decision(it.Verdict.EJECT, "order", rules.rules[0])) for each in others[:1]]
it.denied_among = denied_among
""",
        Row.EJECTIONS,
        LATER,
    ),
    "now and then a byte is altered": (
        """
import itertools
import joingate.gate.tunnel as it
was, count = it.Side.data_received, itertools.count()
def data_received(self, data):
    was(self, data[:-1] + b"~" if next(count) % 500 == 499 else data)
it.Side.data_received = data_received
""",
        Row.MESSAGES,
        SOON,
    ),
    "an ejection cuts somebody else too": (
        """
import joingate.gate.tunnel as it
was = it.Tunnel.eject
def eject(self, participant, *more):
    for other in self.gate.roster.of_meeting(participant.meeting):
        if other is not participant and other.is_inside and isinstance(other.carrier, it.Tunnel):
            other.carrier.abort()
            break
    was(self, participant, *more)
it.Tunnel.eject = eject
""",
        Row.CONNECTIONS,
        LATER,
    ),
    "a receipt has no record": (
        """
import joingate.ledger.journal as it
was = it.Journal._record_of
def record_of(self, *restricting):
    found = was(self, *restricting)
    return it.Restriction(*(getattr(found, each) for each in list(found.__slots__)[:-1]), "0" * 64)
it.Journal._record_of = record_of
""",
        Row.RECEIPTS,
        SOON,
    ),
}


def test_every_broken_gate_is_found_out(tmp_path: Path) -> None:
    with ExitStack() as stack:
        running = []
        for number, (code, row, minutes) in enumerate(BREAKS.values()):  # beside each other: they wait most of the time
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "sitecustomize.py").write_text(code)
            running.append((stack.enter_context(soaking("--minutes", minutes, "--seed", "2", path=folder)), row))
        for process, row in running:
            out, _ = process.communicate(timeout=LIMIT)
            assert process.returncode == 1, out
            assert counts(out)[row.title][1] > 0, out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_stops_it_gets_the_table_so_far(number: signal.Signals) -> None:
    with soaking("--minutes", "30") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("minute 0 of 30: ")
        started = tree(process.pid)
        assert len(started) > 1, "the gate is a process of its own"
        process.send_signal(number)
        out, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, out + errors
    assert "**Lost: nothing.**" in out
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def gate_of(soak: int) -> int:
    """Return the process id of a soak's gate, whatever else the two have begun for a moment."""
    (gate,) = (pid for pid in children(soak) if b"\0serve\0" in Path(f"/proc/{pid}/cmdline").read_bytes())
    return gate


def test_a_gate_that_dies_is_lost() -> None:
    with soaking("--minutes", "30") as process:
        assert process.stderr is not None
        process.stderr.readline()
        os.kill(gate_of(process.pid), signal.SIGKILL)
        out, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 1, out + errors
    assert counts(out)[Row.PROCESS.title][1] > 0, out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--minutes", "0"], "argument --minutes: 0 is no length of a run; write minutes, at most 1440"),
        (["--minutes", "long"], "argument --minutes: long is no length of a run; write minutes, at most 1440"),
        (
            ["--report", "/nowhere/soak.md"],
            "argument --report: /nowhere/soak.md cannot be written; name a file in a folder that exists",
        ),
    ],
)
def test_what_cannot_be_meant_is_said(options: list[str], said: str) -> None:
    with soaking(*options) as process:
        out, errors = process.communicate(timeout=LIMIT)
    assert (process.returncode, out) == (2, "")
    assert errors.splitlines()[-1] == f"python -m tests.soak: error: {said}"
