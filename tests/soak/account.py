"""What was tried, what was promised of it, and what was lost."""

from collections import Counter
from collections.abc import Iterable
from enum import Enum

MOST_FINDINGS = 8
"""Losses of one row that are described; all are counted."""


class Row(Enum):
    """A row of the table: what was tried, and what was promised of it."""

    KEPT = (
        "joins over HTTP on connections kept open",
        "the core's verdict, its rule and its place; the answer to this very request",
    )
    NEW = "joins over HTTP on a new connection each", "the core's verdict"
    WEBSOCKET = "joins by WebSocket", "the core's verdict, at the handshake"
    FORGED = (
        "of all joins, with a forged client address",
        "judged by the address that a trusted proxy has seen, not by what the client claims",
    )
    HELD = "of all joins, held back by the meeting server", "an answer late, or a verdict that has changed meanwhile"
    FAULTS = (
        "of all joins, with an answer reset, broken off or garbled by the meeting server",
        "502, or cut where the server has cut it; nobody else notices",
    )
    OUTAGES = (
        "times at which the meeting server accepted no connection",
        "502 to those who need a new connection; nobody else notices",
    )
    MESSAGES = "messages heard", "each speaker's next number, byte for byte"
    CONNECTIONS = (
        "WebSockets that were open",
        "the same connection until they leave, or are ejected: collateral closes 0",
    )
    EJECTIONS = "ejections", "only whom a rule means, with its code, its rule and a receipt"
    AUDITED = "participants inside held against the rules, once a second", "nobody stays inside whom a rule ejects"
    SLOW_READERS = "slow readers, of 4 MiB each", "all that was sent to them, in its order"
    VANISHED = "clients that vanished", "nothing of them stays behind"
    MALFORMED = "malformed requests", "refused, and unseen by the meeting server"
    RULES = "changes of rules", "in force as written, to the revision"
    MISTAKEN = "mistaken rule files", "refused; the last good rules stay"
    DATABASES = "databases swapped", "in use after the reload"
    DAMAGED = "damaged databases", "refused; the last good database stays"
    STORMS = "storms of 20 SIGHUPs", "each answered by a reload; no verdict changes"
    WINDOWS = "time windows put ahead", "opens and closes by itself, between two verdicts that both hold"
    CENSUS = "counts of those inside", "never fewer than are known to be inside; nobody at the end"
    RECEIPTS = (
        "receipts in clients' hands",
        "each a record in the ledger, with its rule and place; and none there that nobody holds",
    )
    LEDGER = "ledgers verified", "`joingate ledger verify` finds no fault"
    PROCESS = "gate processes", "serves on to its end, logs no defect, ends with status 0"
    MEMORY = "samples of resident memory", "no growth, as tests/soak/slope.py defines it"
    DESCRIPTORS = "samples of open descriptors", "as many as before the first participant"
    THREADS = "samples of threads", "no more than asyncio's executor and the loop"

    def __init__(self, title: str, promise: str) -> None:
        self.title = title
        self.promise = promise


class Account:
    """Counts by row.

    Attributes:
        kinds: what some of it was, in words.
        findings: the first losses, each in one line.
        notes: what stands below the table.
    """

    def __init__(self) -> None:
        self.tried: Counter[Row] = Counter()
        self.lost: Counter[Row] = Counter()
        self.kinds: Counter[str] = Counter()
        self.findings: list[str] = []
        self.notes: list[str] = []

    def note_tried(self, row: Row, count: int = 1, *, kind: str = "") -> None:
        """Count what was tried."""
        self.tried[row] += count
        if kind:
            self.kinds[kind] += count

    def note_lost(self, row: Row, why: str) -> None:
        """Count a loss."""
        self.lost[row] += 1
        if self.lost[row] <= MOST_FINDINGS:
            self.findings.append(f"{row.title}: {why}")

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost."""
        return not self.lost.total()

    def table(self, about: Iterable[str]) -> str:
        """Return it all in Markdown."""
        rows = [("tried", "count", "promised", "lost"), ("---", "---:", "---", "---:")]
        rows += [
            (row.title, f"{self.tried[row]:,}", row.promise, f"{self.lost[row]:,}")
            for row in Row
            if self.tried[row] or self.lost[row]
        ]
        lines = [f"| {' | '.join(cells)} |" for cells in rows]
        lost = self.lost.total()
        lines += ["", f"**Lost: {lost:,}.**" if lost else "**Lost: nothing.**", ""]
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.kinds.items()))
        lines += [f"- {line}" for line in (*about, *self.notes, *((f"of which: {kinds}",) if kinds else ()))]
        if self.findings:
            lines += ["", "What was lost:", "", *(f"- {finding}" for finding in self.findings)]
            if lost > len(self.findings):
                lines.append(f"- and {lost - len(self.findings):,} more")
        return "\n".join(lines) + "\n"
