"""Ledgers written by hand for the tests of the report: entries made in a few words, and laid down as files."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from joingate.codecs.ledger_line import encode
from joingate.codecs.merkle import Peaks, leaf_hash
from joingate.codecs.signed_note import Checkpoint, sign_note, verifier_key
from joingate.core import record as r
from joingate.core.report import Report, Signed
from joingate.core.report_fold import Tabulation
from joingate.core.report_period import Period
from joingate.core.report_publish import publish
from joingate.core.rules import Action

ORIGIN = "joingate-0a1b2c3d4e5f"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HOUR = "2026-09-03T04Z"
REVISION, DIGEST, SHA256 = "ab" * 8, "cd" * 8, "ef" * 32

GENESIS = r.Genesis(r.FORMAT, SHA256, ORIGIN)
RULES = r.Rules(REVISION, 1, 0)
DATABASE = r.Database((1_788_000_000,), ("GeoLite2-Country",), (DIGEST,), 0, 60)


def order(rule: str = "cac-1", **changes: Any) -> r.OrderAccepted:
    """An order of a Chinese regulator for one meeting, in force in September and October 2026."""
    given: dict[str, Any] = {
        "authority": "cac",
        "authority_name": "Cyberspace Administration of China",
        "branch": "regulator",
        "authority_territory": ("CN",),
        "territory": ("CN",),
        "action": Action.EJECT,
        "legal_basis": "Cybersecurity Law, article 50",
        "reference": "[2026] 17",
        "received": "2026-09-01",
        "opens": "2026-09-01T00:00:00Z",
        "closes": "2026-11-01T00:00:00Z",
        "named": 1,
        "prefixes": 0,
        "service_wide": False,
        "asked_objects": (),
        "asked_territory": (),
        "notice_url": None,
        "shadow": False,
        "digest": DIGEST,
    }
    return r.OrderAccepted(rule=rule, **(given | changes))


def policy(rule: str = "board", **changes: Any) -> r.PolicyAccepted:
    """A host policy that admits Germany only."""
    given: dict[str, Any] = {
        "action": Action.EJECT,
        "allow": ("DE",),
        "deny": None,
        "rejects_unknown": False,
        "shadow": False,
        "digest": DIGEST,
    }
    return r.PolicyAccepted(rule=rule, **(given | changes))


def restriction(rule: str = "cac-1", **changes: Any) -> r.Restriction:
    """Somebody in CN rejected under an order."""
    given: dict[str, Any] = {
        "action": r.Restricts.REJECT,
        "basis": r.Basis.ORDER,
        "revision": REVISION,
        "epochs": DATABASE.epochs,
        "located_as": "CN",
        "sources": 1,
        "told": r.Told.HTTP,
        "meeting": SHA256,
        "receipt": SHA256,
    }
    return r.Restriction(rule=rule, **(given | changes))


def ejection(rule: str = "cac-1", **changes: Any) -> r.Restriction:
    """Somebody in CN ejected under an order."""
    return restriction(rule, **({"action": r.Restricts.EJECT, "told": r.Told.CLOSE} | changes))


def deferral(rule: str = "cac-1", basis: r.Basis = r.Basis.ORDER) -> r.Deferral:
    """A last host in CN, left where they are."""
    return r.Deferral(basis, rule, REVISION, DATABASE.epochs, "CN", 1, SHA256)


def entries(*records: r.Record | tuple[str, r.Record]) -> list[r.Entry]:
    """Number records after a genesis; a bare one is of HOUR."""
    dated = [record if isinstance(record, tuple) else (HOUR, record) for record in records]
    first = dated[0][0] if dated else HOUR
    return [r.Entry(seq, hour, record) for seq, (hour, record) in enumerate([(first, GENESIS), *dated])]


def count(history: Iterable[r.Entry], first: str | None = None, last: str | None = None) -> Tabulation:
    """Tabulate a history for the days from `first` to `last`."""
    tabulation = Tabulation(Period(first, last))
    for entry in history:
        tabulation.add(entry)
    return tabulation


def report(
    history: Iterable[r.Entry],
    first: str | None = None,
    last: str | None = None,
    *,
    checkpoint: Signed | None = None,
    unfinished: bool = False,
) -> Report:
    """Report on a history."""
    return publish(count(history, first, last), checkpoint, unfinished=unfinished)


def meeting(number: int) -> str:
    """The commitment of a meeting."""
    return hashlib.sha256(b"%d" % number).hexdigest()


def lay_down(
    folder: Path,
    history: Sequence[r.Entry],
    *,
    lines_in_file: int = 16_384,
    signed: int | None = None,
) -> Path:
    """Write a ledger's files; the newest checkpoint is of the first `signed` records, by default of all."""
    records = folder / "records"
    records.mkdir(parents=True)
    lines = list(map(encode, history))
    for first in range(0, len(lines), lines_in_file):
        (records / f"{first:012}.jsonl").write_bytes(b"".join(lines[first : first + lines_in_file]))
    (folder / "verifier_key").write_text(f"{verifier_key(ORIGIN, KEY)}\n")
    note = sign(lines[:signed])
    for name in ("checkpoint", "checkpoints"):
        (folder / name).write_text(note)
    return folder


def sign(lines: Iterable[bytes]) -> str:
    """Sign a checkpoint over lines."""
    peaks = Peaks()
    for line in lines:
        peaks.append(leaf_hash(line.removesuffix(b"\n")))
    return sign_note(Checkpoint(ORIGIN, peaks.size, peaks.root()).text, ORIGIN, KEY)


def root_of(lines: Iterable[bytes]) -> str:
    """Return the root over lines, in base64."""
    return sign(lines).split("\n")[2]
