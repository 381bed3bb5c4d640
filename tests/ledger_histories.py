"""Ledgers for tests: written record by record as a gate would, signed, and put into a folder."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from joingate.codecs.ledger_line import encode
from joingate.codecs.ledger_rules import acceptance
from joingate.codecs.ledger_schema import SCHEMA_DIGEST
from joingate.codecs.merkle import Peaks, leaf_hash
from joingate.codecs.moment import utc_hour
from joingate.codecs.receipt import commitment
from joingate.codecs.signed_note import Checkpoint, sign_note, verifier_key
from joingate.core import record as r
from joingate.core.model import Cause
from joingate.core.rules import Action, Authority, HostPolicy, Order, Rule
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "joingate-0a1b2c3d4e5f"
VERIFIER_KEY = verifier_key(ORIGIN, KEY)

NOON = int(datetime(2026, 6, 3, 12, tzinfo=UTC).timestamp())
"""When stories begin, in POSIX seconds."""
HOUR = 3600
REVISION = "0123456789abcdef"
DATABASES = r.Database((NOON - 86_400, NOON - 7200), ("Country", "City"), ("a" * 16, "b" * 16), 0, 60)
CAC = Authority("cac", "Cyberspace Administration of China", "regulator", frozenset(("CN", "UA-43")))


def an_order(id: str = "o-1", **fields: Any) -> Order:  # noqa: A002 - the field's own name
    """An order for CN, in force from an hour before the story begins until a day after."""
    given: dict[str, Any] = {
        "authority": CAC,
        "territory": frozenset(("CN",)),
        "meetings": ("m-1",),
        "action": Action.EJECT,
        "legal_basis": "Cybersecurity Law, article 50",
        "reference": "2026-17",
        "received": date(2026, 5, 29),
        "opens": float(NOON - HOUR),
        "closes": float(NOON + 24 * HOUR),
    }
    return Order(id, **(given | fields))


def a_policy(id: str = "h-1", **fields: Any) -> HostPolicy:  # noqa: A002 - the field's own name
    """A host policy that denies DE."""
    given: dict[str, Any] = {"meetings": ("m-1",), "action": Action.EJECT, "deny": frozenset(("DE",))}
    return HostPolicy(id, **(given | fields))


EXAMPLES: dict[str, r.Record] = {
    "genesis": r.Genesis(r.FORMAT, SCHEMA_DIGEST, ORIGIN),
    "segment": r.Segment(("a" * 64, "b" * 64), "", ()),
    "order": r.OrderAccepted(
        rule="cac-2026-1",
        authority="cac",
        authority_name="Cyberspace Administration of China (\u7f51\u4fe1\u529e)",
        branch="regulator",
        authority_territory=("CN",),
        territory=("CN",),
        action=Action.EJECT,
        legal_basis='Cybersecurity Law, article 50, "network information"',
        reference="2026-17",
        received="2026-05-29",
        opens="2026-06-03T16:00:00Z",
        closes="2026-06-04T16:00:00Z",
        named=1,
        prefixes=0,
        service_wide=False,
        asked_objects=("meeting", "account"),
        asked_territory=("CN", "HK"),
        notice_url=None,
        shadow=False,
        digest="c" * 16,
    ),
    "host_policy": r.PolicyAccepted("board", Action.REJECT, ("DE", "UA-43"), None, True, False, "d" * 16),
    "lift": r.Lift("cac-2026-1"),
    "expiry": r.Expiry("cac-2026-1"),
    "rules": r.Rules(REVISION, 1, 2),
    "database": DATABASES,
    "restriction": r.Restriction(
        action=r.Restricts.EJECT,
        basis=r.Basis.ORDER,
        rule="cac-2026-1",
        revision=REVISION,
        epochs=DATABASES.epochs,
        located_as="CN",
        sources=2,
        told=r.Told.CLOSE,
        meeting="e" * 64,
        receipt="f" * 64,
    ),
    "deferral": r.Deferral(r.Basis.ORDER, "cac-2026-1", REVISION, DATABASES.epochs, "CN", 2, "e" * 64),
    "outcome": r.Outcome(r.Ending.CONFIRMED, (8, 9)),
    "window": r.Window("cac-2026-1", {Cause.NOT_FOUND: 3, Cause.STALE: 1}, 2, 4),
    "disclosure": r.Disclosure("cac", r.Subject.PARTICIPANTS, 3, "Law, article 1", "ref"),
    "correction": r.Correction(8, r.Mistake.LOCATION, "The database placed a network in the wrong country."),
    "heartbeat": r.Heartbeat(),
    "recovery": r.Recovery(17, "2" * 64),
}
"""A record of each kind."""


class Story:
    """A history as a gate writes one.

    Attributes:
        lines: with their line feeds.
        now: POSIX seconds; records are dated by its hour.
    """

    def __init__(self, *, begun: bool = True) -> None:
        self.lines: list[bytes] = []
        self.now = NOON
        self.revision = ""
        self.databases = replace(DATABASES, epochs=())
        self._peaks = Peaks()
        if begun:
            self.write(r.Genesis(r.FORMAT, SCHEMA_DIGEST, ORIGIN))

    @property
    def size(self) -> int:
        return len(self.lines)

    def write(self, record: r.Record) -> int:
        """Write a record, and a segment before it where a file begins; return its seq."""
        if self.size and self.size % layout.LINES_IN_FILE == 0:
            self._put(r.Segment(tuple(map(bytes.hex, self._peaks.hashes)), self.revision, self.databases.epochs))
        if isinstance(record, r.Rules):
            self.revision = record.revision
        if isinstance(record, r.Database):
            self.databases = record
        return self._put(record)

    def _put(self, record: r.Record) -> int:
        self.put_line(encode(r.Entry(self.size, utc_hour(self.now // HOUR), record)))
        return self.size - 1

    def put_line(self, line: bytes) -> None:
        """Write a line as it stands."""
        self.lines.append(line)
        self._peaks.append(leaf_hash(line[:-1]))

    def use(self, *rules: Rule, revision: str = REVISION, databases: r.Database = DATABASES) -> None:
        """Write what comes before the first restriction."""
        self.write(databases)
        for rule in rules:
            self.write(acceptance(rule))
        orders = sum(isinstance(rule, Order) for rule in rules)
        self.write(r.Rules(revision, orders, len(rules) - orders))

    def restrict(self, rule: Rule, located_as: str = "CN", **fields: Any) -> int:
        """Write a restriction under a rule; its receipt's code is `code_of` its seq."""
        given: dict[str, Any] = {
            "action": r.Restricts.REJECT,
            "basis": r.Basis.ORDER if isinstance(rule, Order) else r.Basis.HOST_POLICY,
            "rule": rule.id,
            "revision": self.revision,
            "epochs": self.databases.epochs,
            "located_as": located_as,
            "sources": 0 if located_as == "unknown" else len(self.databases.epochs),
            "told": r.Told.HTTP,
            "meeting": "0" * 64,
            "receipt": commitment(code_of(self.size)),
        }
        return self.write(r.Restriction(**(given | fields)))

    def save(self, folder: Path, signed: Sequence[int] | None = None) -> LedgerFiles:
        """Put the ledger into a folder, with checkpoints at the sizes `signed`, and by default at the end."""
        return save(folder, self.lines, signed)


def code_of(seq: int) -> str:
    """Return the code of the receipt of the restriction that was to be record `seq`."""
    return "".join("abcdefghijklmnop"[int(digit, 16)] for digit in f"{seq:016x}")


def save(folder: Path, lines: Sequence[bytes], signed: Sequence[int] | None = None) -> LedgerFiles:
    """Write lines and checkpoints as the files of a ledger."""
    files = LedgerFiles(folder)
    files.records.mkdir(parents=True)
    files.verifier_key.write_text(f"{VERIFIER_KEY}\n")
    for first in range(0, len(lines), layout.LINES_IN_FILE):
        files.record_file(first).write_bytes(b"".join(lines[first : first + layout.LINES_IN_FILE]))
    notes = list(notes_at((len(lines),) if signed is None else signed, lines))
    files.checkpoints.write_bytes(b"".join(notes))
    files.checkpoint.write_bytes(notes[-1] if notes else b"")
    return files


def notes_at(sizes: Iterable[int], lines: Sequence[bytes]) -> Iterable[bytes]:
    """Yield signed checkpoints of the first so many lines."""
    for size in sizes:
        peaks = Peaks()
        for line in lines[:size]:
            peaks.append(leaf_hash(line[:-1]))
        yield sign_note(Checkpoint(ORIGIN, size, peaks.root()).text, ORIGIN, KEY).encode()


def a_history(records: int = 40) -> Story:
    """A history in which every kind of record stands, `records` of them or more."""
    story, order, policy, quiet = Story(), an_order(), a_policy(), an_order("o-2", shadow=True)
    story.use(order, policy, quiet)
    story.write(r.Heartbeat())
    ejected = story.restrict(order, action=r.Restricts.EJECT, told=r.Told.CLOSE)
    story.restrict(policy, "DE")
    story.write(
        r.Deferral(r.Basis.ORDER, "o-1", REVISION, DATABASES.epochs, "CN", 2, "1" * 64),
    )
    story.write(r.Outcome(r.Ending.STILL_PRESENT, (ejected,)))
    story.now += HOUR
    story.write(r.Outcome(r.Ending.CONFIRMED, (ejected,)))
    story.write(r.Window("o-1", {Cause.NOT_FOUND: 3, Cause.STALE: 1}, 0, 2))
    story.write(r.Disclosure("cac", r.Subject.PARTICIPANTS, 1, "Law, article 1", "ref"))
    story.write(r.Correction(ejected, r.Mistake.LOCATION, "The database placed a network in the wrong country."))
    story.write(r.Recovery(17, "2" * 64))
    while story.size < records - 3:
        story.restrict(order if story.size % 3 else policy, "CN" if story.size % 3 else "DE")
    story.write(r.Lift("h-1"))
    story.write(r.Rules("f" * 16, 2, 0))
    story.now = int(order.closes)
    story.write(r.Expiry("o-1"))
    return story
