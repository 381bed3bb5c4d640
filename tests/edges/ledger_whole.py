"""What must hold of a ledger's files whatever has happened to those who wrote them."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from joingate.codecs.ledger_line import decode
from joingate.codecs.merkle import Peaks, leaf_hash
from joingate.codecs.signed_note import Checkpoint, open_checkpoint, parse_verifier_key, split_notes
from joingate.core.record import Database, Entry, Genesis, Heartbeat, Lift, Record, Recovery, Rules, Segment
from joingate.ledger import files as layout
from joingate.ledger.files import LedgerFiles
from joingate.ledger.history import History

Open = Callable[[], History]

HOUR = "2026-11-21T04Z"
BEAT = Heartbeat()


@contextmanager
def opener(ledger: Path) -> Iterator[Open]:
    """Yield a function that opens the ledger once more, as another process would; all are closed at the end."""
    histories: list[History] = []

    def open_it() -> History:
        histories.append(History.open(ledger, HOUR))
        return histories[-1]

    yield open_it
    for history in histories:
        history.close()


def make_durable(history: History) -> None:
    """What a gate does five times a second, where there is anything new."""
    captured = history.capture()
    assert captured is not None
    history.make_durable(captured)


def lifts(*names: object) -> list[Record]:
    """Records that can be told apart."""
    return [Lift(str(name)) for name in names]


def names(entries: list[Entry]) -> list[str]:
    """The names of `lifts`, in their order."""
    return [entry.record.rule for entry in entries if isinstance(entry.record, Lift)]


def checkpoints(ledger: Path) -> list[Checkpoint]:
    """Every checkpoint, its signature checked."""
    files = LedgerFiles(ledger)
    key = parse_verifier_key(files.verifier_key.read_text())
    if not files.checkpoints.exists():
        return []
    return [open_checkpoint(note, key) for note in split_notes(files.checkpoints.read_text())]


def whole(ledger: Path, *, is_ended: bool = True) -> list[Entry]:
    """Return all entries of one contiguous history, whose checkpoints are borne out and whose gaps are told of.

    Args:
        is_ended: whether everything torn has been set aside; otherwise the last line may be unfinished.
    """
    files = LedgerFiles(ledger)
    roots = [b""]
    peaks = Peaks()
    entries: list[Entry] = []
    revision = ""
    epochs: tuple[int, ...] = ()
    paths = files.record_files()
    for path in paths:
        assert path == files.record_file(len(entries))
        lines = path.read_bytes().split(b"\n")
        rest = lines.pop()
        assert not rest or (path == paths[-1] and not is_ended), f"{path} ends in an unfinished line"
        assert len(lines) == layout.LINES_IN_FILE or (path == paths[-1] and 0 < len(lines) <= layout.LINES_IN_FILE)
        for number, line in enumerate(lines):
            entry = decode(line)
            assert entry.seq == len(entries)
            assert not entries or entry.hour >= entries[-1].hour
            match entry.record:
                case Segment():
                    assert number == 0
                    assert entry.seq
                    expected = Segment(tuple(peak.hex() for peak in peaks.hashes), revision, epochs)
                    assert entry.record == expected
                case Genesis():
                    assert entry.seq == 0
                case other:
                    assert number
                    if isinstance(other, Rules):
                        revision = other.revision
                    if isinstance(other, Database):
                        epochs = other.epochs
            entries.append(entry)
            peaks.append(leaf_hash(line))
            roots.append(peaks.root())
    _borne_out(ledger, roots)
    _told_of(files, entries)
    return entries


def _borne_out(ledger: Path, roots: list[bytes]) -> None:
    found = checkpoints(ledger)
    assert [each.size for each in found] == sorted({each.size for each in found})
    for each in found:
        assert roots[each.size] == each.root
    if found:
        files = LedgerFiles(ledger)
        assert files.checkpoint.read_text() == split_notes(files.checkpoints.read_text())[-1]


def _told_of(files: LedgerFiles, entries: list[Entry]) -> None:
    """Every recovery record is about bytes that were kept, and where bytes were kept a record tells of it."""
    kept = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in files.set_aside.glob("*")}
    for entry in entries:
        if isinstance(entry.record, Recovery):
            path = kept[entry.record.digest]
            assert path.stat().st_size == entry.record.size
            assert path.name.endswith(f"-{entry.record.digest}")
    for path in kept.values():
        at = int(path.name.partition("-")[0])
        assert any(isinstance(entry.record, Recovery) for entry in entries[at : at + 2]), f"nothing tells of {path}"
