"""joingate ledger verify, checkpoint, prove; `ledger_by_hand` has disclose and correct."""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import Any, Final

import orjson

from joingate.cli import ledger_by_hand
from joingate.cli.options import Commands, add_json, add_ledger, ledger_of
from joingate.cli.progress import ProgressBar
from joingate.codecs.inclusion import LONGEST_PROOF, check_proof, parse_proof
from joingate.codecs.ledger_line import encode
from joingate.codecs.moment import utc_hour
from joingate.codecs.receipt import plain
from joingate.codecs.signed_note import NoteError, VerifierKey, parse_verifier_key
from joingate.core.errors import RefusedInputError
from joingate.ledger.prove import newest_checkpoint, promised_hour, prove_receipt, read_verifier_key
from joingate.ledger.snapshot import notes_of, unreadable
from joingate.ledger.verify import Verification, verify_ledger

_LONGEST_FILE: Final = 16 * LONGEST_PROOF
_CODE: Final = re.compile("[a-z2-7]{16}", re.ASCII)
_BROKEN: Final = "the promise was not kept; the notice and this ledger's newest checkpoint are evidence of that"


def register(commands: Commands) -> None:
    """Add the commands."""
    ledger = commands.add_parser("ledger", help="check and use the record of every restriction").add_subparsers(
        metavar="COMMAND", required=True
    )
    verify = ledger.add_parser("verify", help="check a whole ledger, or one proof; exit 1 if anything is violated")
    verify.add_argument("--key", metavar="VKEY", help="the verifier key to believe; default: the ledger's own")
    kept = "a checkpoint kept from earlier; may be given more than once"
    verify.add_argument("--checkpoint", type=Path, action="append", default=[], metavar="FILE", help=kept)
    verify.add_argument("--proof", type=Path, metavar="FILE", help="check this proof, and no ledger")
    verify.add_argument("--receipt", metavar="CODE", help="the receipt that the proof is for")
    add_json(verify)
    checkpoint = ledger.add_parser("checkpoint", help="print the newest checkpoint, to keep and to compare")
    prove = ledger.add_parser("prove", help="prove that a receipt's record stands in the ledger")
    prove.add_argument("receipt", metavar="RECEIPT", help="the code from the notice")
    prove.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    prove.add_argument("--promise", type=Path, metavar="FILE", help="the notice as JSON, or the promise in it")
    for parser, run in ((verify, _verify), (checkpoint, _checkpoint), (prove, _prove)):
        add_ledger(parser)
        parser.set_defaults(run=run)
    ledger_by_hand.register(ledger)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_FILE)
    except OSError as error:
        raise unreadable(error, path) from None


def _notes(path: Path) -> list[bytes]:
    """Return the checkpoints in a file; one that is none is taken for one, so that it is complained of."""
    try:
        return list(notes_of(path, path.stat().st_size)) or [b""]
    except OSError as error:
        raise unreadable(error, path) from None


def _code(text: str) -> str:
    code = plain(text)
    if _CODE.fullmatch(code) is None:
        raise RefusedInputError("RECEIPT: is no receipt; write the code from the notice, 16 letters and digits")
    return code


# verify


def _verify(chosen: argparse.Namespace) -> int:
    given = None if chosen.key is None else _given(chosen.key)
    if chosen.proof is not None or chosen.receipt is not None:
        return _verify_proof(chosen, given)
    kept = [(str(path), note) for path in chosen.checkpoint for note in _notes(path)]
    with ProgressBar() as bar:
        found = verify_ledger(ledger_of(chosen), given, kept, bar)
    if chosen.json:
        print(orjson.dumps(_members(found), option=orjson.OPT_INDENT_2).decode())
    else:
        _print(found)
    return 0 if found.holds else 1


def _given(text: str) -> VerifierKey:
    try:
        return parse_verifier_key(text)
    except NoteError as error:
        raise RefusedInputError(f"--key: {error}; write the line that the ledger publishes as verifier_key") from None


def _print(found: Verification) -> None:
    for finding in found.findings:
        print(f"{'ok    ' if finding.holds else 'FAILED'}  {finding.name}: {finding.sentence}")
        for violation in finding.violations:
            print(f"          {violation}")
        if (more := finding.violated - len(finding.violations)) > 0:
            print(f"          and {more} more")
    for path in found.unknown:
        print(f"note    {path} is no part of a ledger, and was not looked at")
    verdict = "every property holds" if found.holds else "NOT every property holds"
    print(f"{verdict}: {found.records} records of {found.origin or 'a ledger without a key'}, {found.signed} signed")


def _members(found: Verification) -> dict[str, Any]:
    return {
        "holds": found.holds,
        "origin": found.origin,
        "records": found.records,
        "signed": found.signed,
        "unknown_files": found.unknown,
        "properties": [
            {
                "name": finding.name,
                "holds": finding.holds,
                "sentence": finding.sentence,
                "counts": finding.counts,
                "violated": finding.violated,
                "violations": [{"record": each.seq, "reason": each.reason} for each in finding.violations],
            }
            for finding in found.findings
        ],
    }


def _verify_proof(chosen: argparse.Namespace, given: VerifierKey | None) -> int:
    if chosen.proof is None or chosen.receipt is None:
        raise RefusedInputError("--proof: goes with --receipt; name the proof's file and the code from the notice")
    code = _code(chosen.receipt)
    key = read_verifier_key(ledger_of(chosen)) if given is None else given
    text = _read(chosen.proof).decode("utf-8", "replace")
    try:
        proven = check_proof(parse_proof(text), code, key)
    except NoteError as error:
        print(f"FAILED  {chosen.proof}: the proof {error}", file=sys.stderr if chosen.json else sys.stdout)
        return 1
    line, size = encode(proven.entry).removesuffix(b"\n"), proven.checkpoint.size
    if chosen.json:
        print(orjson.dumps({"origin": key.name, "signed": size, "record": orjson.Fragment(line)}).decode())
    else:
        print(f"ok      the receipt's is record {proven.entry.seq}, among the {size} that {key.name} has signed")
        print(line.decode())
    return 0


# checkpoint, prove


def _checkpoint(chosen: argparse.Namespace) -> int:
    note, _ = newest_checkpoint(ledger_of(chosen))
    print(note, end="")
    return 0


def _prove(chosen: argparse.Namespace) -> int:
    folder, code = ledger_of(chosen), _code(chosen.receipt)
    deadline = None if chosen.promise is None else _promised(chosen.promise, code, folder)
    with ProgressBar() as bar:
        recorded = prove_receipt(folder, code, bar)
    if recorded is None or recorded.proof is None:
        where = "no record of it" if recorded is None else f"record {recorded.entry.seq}, under no checkpoint yet"
        return _say_no(where, deadline)
    if chosen.output is None:
        print(recorded.proof, end="")
    else:
        try:
            chosen.output.write_text(recorded.proof, "utf-8")
        except OSError as error:
            raise RefusedInputError(f"{chosen.output}: cannot be written ({error.strerror})") from None
        print(f"record {recorded.entry.seq} is this receipt's; the proof is in {chosen.output}")
    if deadline is not None and recorded.entry.hour > deadline:
        print(f"joingate: it was recorded in {recorded.entry.hour}, after {deadline}: {_BROKEN}", file=sys.stderr)
        return 1
    return 0


def _promised(path: Path, code: str, folder: Path) -> str:
    try:
        return promised_hour(_read(path), code, read_verifier_key(folder))
    except NoteError as error:
        raise RefusedInputError(f"{path}: {error}; save the notice as the gate sent it, as JSON") from None


def _say_no(where: str, deadline: str | None) -> int:
    if deadline is None:
        due = "a record is promised within a day of the notice, and --promise FILE tells the hour"
    elif _hour() > deadline:
        due = f"one was promised by the end of {deadline}: {_BROKEN}"
    else:
        due = f"one is promised by the end of {deadline}: ask again then"
    print(f"joingate: {where}; {due}", file=sys.stderr)
    return 1


def _hour() -> str:
    return utc_hour(int(time.time() // 3600))
