"""What other tests hold: where they stand, so that the page is whole, and how they ended when it was made."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Held:
    """A fault or a hostile input that has tests of its own; `tests` are files, or `file::test`."""

    what: str
    promise: str
    tests: tuple[str, ...]


ELSEWHERE: Final = (
    Held(
        "request heads, bodies and upgrades that are malformed or ambiguous, whole and byte by byte",
        "400 and the end; nothing of it reaches the meeting server",
        ("tests/edges/test_gate_refusals.py",),
    ),
    Held(
        "answers of the meeting server that are none, garbage, cut short or stale",
        "502, 504 or a visible cut; no request twice that must not be",
        ("tests/edges/test_gate_upstream.py",),
    ),
    Held(
        "time limits and back-pressure, byte by byte, on two event loops",
        "nobody waits without end, and nobody has the gate hold more than a megabyte",
        ("tests/edges/test_gate_limits.py", "tests/edges/test_gate_tunnel_limits.py"),
    ),
    Held(
        "TLS handshakes that never begin or never end, more than there is room for",
        "each counts as a connection; closed after `gate.head_timeout`; 503 over TLS, or closed, for those too many",
        ("tests/edges/test_gate_tls_server.py",),
    ),
    Held(
        "client addresses that are forged, and PROXY headers that are none",
        "nobody is believed but trusted peers",
        ("tests/edges/test_gate_client.py", "tests/core/test_client_address.py"),
    ),
    Held(
        "WebSocket messages cut anywhere, damaged or too large, that may hold a join",
        "no join slips past; what cannot be read goes no further",
        ("tests/edges/test_gate_reading.py", "tests/edges/test_gate_reading_fuzz.py"),
    ),
    Held(
        "frames, messages, chunks and requests by the thousand in one read",
        "others have their turn in between; nothing is lost or out of order",
        (
            "tests/edges/test_gate_frame_floods.py",
            "tests/edges/test_gate_body_floods.py",
            "tests/edges/test_gate_reading.py",
            "tests/edges/test_gate_limits.py",
        ),
    ),
    Held(
        "bytes behind a handshake before its answer",
        "nothing follows an Upgrade to the meeting server before a checked 101",
        ("tests/edges/test_gate_websocket.py",),
    ),
    Held(
        "an order for some of 2,000 people who talk",
        "exactly those are cut, and nobody else misses a message",
        ("tests/edges/test_two_thousand.py",),
    ),
    Held(
        "the disk full or read-only, writes cut short, I/O errors",
        "nobody is restricted without a record; written again by itself once that is possible",
        ("tests/edges/test_ledger_full.py", "tests/edges/test_serve_ledger.py"),
    ),
    Held(
        "fsync that fails, once and after having failed",
        "what may not be on the disk is written anew, and not signed before",
        ("tests/edges/test_ledger_fsync.py",),
    ),
    Held(
        "the process killed, or stopped, at every step of a record",
        "what was acted on is on record; a torn end is set aside",
        ("tests/edges/test_ledger_crash.py", "tests/edges/test_ledger_recovery.py"),
    ),
    Held(
        "ledgers changed, cut, reordered or written anew",
        "`joingate ledger verify` says so",
        ("tests/edges/test_ledger_damage.py", "tests/edges/test_ledger_verify.py"),
    ),
    Held(
        "databases cut at every length, of another kind, or that lead the reader astray",
        "refused by a child process with limits of its own",
        ("tests/edges/test_geodb_vet.py", "tests/edges/test_geodb_sealed.py", "tests/edges/test_geodb_load.py"),
    ),
    Held(
        "rules and configuration that are wrong, at the start and at a reload",
        "exit status 2 with what to write instead; the last good ones serve on",
        ("tests/edges/test_serve_start.py", "tests/edges/test_serve_reload.py"),
    ),
    Held(
        "interfaces of meeting servers that lie, hang or cannot be reached",
        "no ejection is called done that nobody has seen",
        (
            "tests/edges/test_servers_removals.py",
            "tests/edges/test_servers_webhook.py",
            "tests/edges/test_serve_livekit.py",
        ),
    ),
    Held(
        "pages of other origins, names pointed here, wrong tokens at the admin service",
        "403, and nobody is named anywhere",
        ("tests/edges/test_admin.py",),
    ),
)


def run(held: tuple[Held, ...], folder: Path) -> list[tuple[Held, Counter[str]]]:
    """Run these tests, and say how each row's ended."""
    report = folder / "tests.xml"
    files = list(dict.fromkeys(test for each in held for test in each.tests))
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *files],
        cwd=ROOT,
        check=False,
    )
    outcomes = _outcomes(report)
    return [(each, sum((outcomes.get(test, Counter()) for test in each.tests), Counter())) for each in held]


def _outcomes(report: Path) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest's own file
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        file = case.get("classname", "").replace(".", "/") + ".py"
        found.setdefault(file, Counter())[outcome] += 1
    return found
