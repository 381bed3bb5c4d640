"""A line of a ledger is refused, or is the one spelling of the record that is read from it."""

import json

from joingate.codecs.ledger_line import LedgerLineError, decode, encode
from tests.fuzz.refusals import are_lines

TOKENS = (
    *(
        b'"seq":',
        b'"hour":',
        b'"kind":',
        b'"order"',
        b'"window"',
        b'"rule":',
        b"null",
        b"true",
        b"1.0",
        b"1e3",
        b"-0",
        b" ",
    ),
    *(
        b"\\u0041",
        b"\\/",
        b"\\ud800",
        b"{}",
        b"[]",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b'""',
        b"\n",
        b"9007199254740993",
    ),
)


def check(data: bytes) -> None:
    """Read each line of the input."""
    for line in data.split(b"\n"):
        try:
            entry = decode(line)
        except LedgerLineError as error:
            are_lines([str(error)])
            continue
        assert encode(entry) == line + b"\n", "there is another spelling"
        fields = json.loads(line)
        assert (fields["seq"], fields["hour"]) == (entry.seq, entry.hour), "another parser reads something else"
