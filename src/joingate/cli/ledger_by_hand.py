"""joingate ledger disclose, correct: what people add to a ledger by hand."""

import argparse
import os
import time

from joingate.cli.options import Commands, add_ledger, ledger_of
from joingate.codecs.ledger_line import LedgerLineError, decode, encode
from joingate.codecs.moment import utc_hour
from joingate.core.audit_texts import personal
from joingate.core.errors import RefusedInputError
from joingate.core.record import Correction, Disclosure, Entry, Mistake, Record, Subject
from joingate.ledger.history import History, LedgerUnavailableError
from joingate.ledger.prove import read_verifier_key


def register(ledger: Commands) -> None:
    """Add the commands to `joingate ledger`."""
    disclose = ledger.add_parser("disclose", help="record that something was handed over to an authority")
    disclose.add_argument("--authority", required=True, metavar="ID", help="as in the rule files")
    disclose.add_argument("--subject", required=True, choices=tuple(map(str, Subject)))
    disclose.add_argument("--people", required=True, type=int, metavar="N", help="how many people it was about")
    disclose.add_argument("--legal-basis", required=True, metavar="TEXT")
    disclose.add_argument("--reference", required=True, metavar="TEXT", help="the authority's own")
    correct = ledger.add_parser("correct", help="record that an earlier record was mistaken; that one stays")
    correct.add_argument("record", type=int, metavar="SEQ")
    correct.add_argument("--mistake", required=True, choices=tuple(map(str, Mistake)))
    correct.add_argument("--explanation", required=True, metavar="TEXT")
    for parser, run in ((disclose, _disclose), (correct, _correct)):
        add_ledger(parser)
        parser.set_defaults(run=run)


def _disclose(chosen: argparse.Namespace) -> int:
    subject = Subject(chosen.subject)
    record = Disclosure(chosen.authority, subject, chosen.people, chosen.legal_basis, chosen.reference)
    return _append(chosen, record, {"--legal-basis": chosen.legal_basis, "--reference": chosen.reference})


def _correct(chosen: argparse.Namespace) -> int:
    record = Correction(chosen.record, Mistake(chosen.mistake), chosen.explanation)
    return _append(chosen, record, {"--explanation": chosen.explanation})


def _append(chosen: argparse.Namespace, record: Record, texts: dict[str, str]) -> int:
    hour = utc_hour(int(time.time() // 3600))
    _check(record, texts, hour)
    folder = ledger_of(chosen)
    read_verifier_key(folder)  # a folder named by mistake does not become a ledger
    if folder.stat().st_uid != os.geteuid():  # files of another user's would lock the gate out of its own ledger
        raise RefusedInputError(f"{folder}: belongs to another user; run this as the user that the gate runs as")
    try:
        history = History.open(folder, hour)
        try:
            if isinstance(record, Correction) and record.corrects >= history.size:
                raise RefusedInputError(f"SEQ: there is no record {record.corrects}; write 0 to {history.size - 1}")
            seq = history.append([record], hour)
            captured = history.capture()
            if captured is not None:
                history.make_durable(captured)
        finally:
            history.close()
    except LedgerUnavailableError as error:
        raise RefusedInputError(f"{error}; look with joingate ledger verify whether it was recorded") from None
    print(f"record {seq}")
    return 0


def _check(record: Record, texts: dict[str, str], hour: str) -> None:
    """Refuse what must not, or cannot, stand in a ledger: it would stand there for good."""
    problems = [
        f"{option}: holds what reads as {found}, and would stay on record for good; write it without"
        for option, text in texts.items()
        if (found := personal(text)) is not None
    ]
    if problems:
        raise RefusedInputError(problems)
    try:
        decode(encode(Entry(0, hour, record)))
    except LedgerLineError as error:
        raise RefusedInputError(f"{error}; docs/verify.md says what a record can hold") from None
    except TypeError:  # orjson's: a number beyond 64 bits, bytes that are not UTF-8
        raise RefusedInputError(
            "what was given is no text or no number that a ledger can hold; write another"
        ) from None
