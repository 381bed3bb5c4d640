import re
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.ledger_line import LONGEST_LINE, LedgerLineError, decode, encode
from joingate.core.model import Cause
from joingate.core.record import Entry, Heartbeat, OrderAccepted, Window
from tests.ledger_histories import EXAMPLES

HOUR = "2026-11-21T04Z"
LINES = {kind: encode(Entry(7, HOUR, record)) for kind, record in EXAMPLES.items()}

OF_RESTRICTION = (
    b'{"seq":7,"hour":"2026-11-21T04Z","kind":"restriction","action":"eject","basis":"order","rule":"cac-2026-1",'
    b'"revision":"0123456789abcdef","epochs":[1780401600,1780480800],"located_as":"CN","sources":2,"told":"close",'
    b'"meeting":"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",'
    b'"receipt":"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}\n'
)
OF_ORDER = (
    b'{"seq":7,"hour":"2026-11-21T04Z","kind":"order","rule":"cac-2026-1","authority":"cac",'
    b'"authority_name":"Cyberspace Administration of China (\xe7\xbd\x91\xe4\xbf\xa1\xe5\x8a\x9e)",'
    b'"branch":"regulator","authority_territory":["CN"],"territory":["CN"],"action":"eject",'
    b'"legal_basis":"Cybersecurity Law, article 50, \\"network information\\"","reference":"2026-17",'
    b'"received":"2026-05-29","opens":"2026-06-03T16:00:00Z","closes":"2026-06-04T16:00:00Z","named":1,"prefixes":0,'
    b'"service_wide":false,"asked_objects":["meeting","account"],"asked_territory":["CN","HK"],"notice_url":null,'
    b'"shadow":false,"digest":"cccccccccccccccc"}\n'
)
OF_WINDOW = (
    b'{"seq":7,"hour":"2026-11-21T04Z","kind":"window","rule":"cac-2026-1","doubt":{"not_found":3,"stale":1},'
    b'"shadowed":2,"unrecorded":4}\n'
)
OF_HEARTBEAT = b'{"seq":7,"hour":"2026-11-21T04Z","kind":"heartbeat"}\n'
OF_LIFT = b'{"seq":7,"hour":"2026-11-21T04Z","kind":"lift","rule":"cac-2026-1"}\n'


def refusal(line: bytes) -> str:
    with pytest.raises(LedgerLineError) as refused:
        decode(line)
    return str(refused.value)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("restriction", OF_RESTRICTION),
        ("order", OF_ORDER),
        ("window", OF_WINDOW),
        ("heartbeat", OF_HEARTBEAT),
        ("lift", OF_LIFT),
    ],
)
def test_a_record_is_written_in_its_one_spelling(kind: str, line: bytes) -> None:
    assert LINES[kind] == line


@pytest.mark.parametrize("kind", EXAMPLES)
def test_every_kind_is_read_back_as_it_was_written(kind: str) -> None:
    entry = Entry(7, HOUR, EXAMPLES[kind])
    assert decode(LINES[kind]) == decode(LINES[kind].rstrip(b"\n")) == entry
    assert encode(entry) == LINES[kind]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "the line is not JSON"),
        (b"\n", "the line is not JSON"),
        (b"not JSON", "the line is not JSON"),
        (b"\xff", "the line is not JSON"),
        (b"[]", "the line does not begin with seq, hour and kind"),
        (b"{}", "the line does not begin with seq, hour and kind"),
        (b'{"seq":7,"kind":"lift","hour":"2026-11-21T04Z"}', "the line does not begin with seq, hour and kind"),
        (b'{"seq":7,"hour":"2026-11-21T04Z"}', "the line does not begin with seq, hour and kind"),
        (OF_LIFT.replace(b'"lift"', b'"ban"'), "kind is none that a ledger has"),
        (OF_LIFT.replace(b'"lift"', b"[]"), "kind is none that a ledger has"),
        (OF_LIFT.replace(b'"lift"', b"1"), "kind is none that a ledger has"),
        (
            OF_HEARTBEAT.replace(b'"heartbeat"', b'"lift"'),
            "a lift has the members seq, hour, kind, rule, in this order",
        ),
        (OF_LIFT.replace(b'"}', b'","ip":"x"}'), "a lift has the members seq, hour, kind, rule, in this order"),
        (OF_LIFT.replace(b"7", b"-7"), "seq is not a seq"),
        (OF_LIFT.replace(b"7", b"7.0"), "seq is not a seq"),
        (OF_LIFT.replace(b"7", b"true"), "seq is not a seq"),
        (OF_LIFT.replace(b"T04Z", b"T24Z"), "hour is not a UTC hour"),
        (OF_LIFT.replace(b"T04Z", b"T04:15Z"), "hour is not a UTC hour"),
        (OF_LIFT.replace(b'"cac-2026-1"', b"1"), "rule is not an id"),
        (OF_LIFT.replace(b"7", b"-7").replace(b"cac", b"\xc3\xa4"), "seq is not a seq; rule is not an id"),
        (b" " + OF_LIFT, "the line is not spelt canonically"),
        (OF_LIFT.replace(b",", b", "), "the line is not spelt canonically"),
        (OF_LIFT.replace(b"cac", b"c\\u0061c"), "the line is not spelt canonically"),
        (OF_LIFT.replace(b'"}', b'","rule":"cac-2026-1"}'), "the line is not spelt canonically"),
        (OF_LIFT + b"\n", "the line is not spelt canonically"),
        (OF_LIFT.replace(b"\n", b"\r\n"), "the line is not spelt canonically"),
        (b" " * LONGEST_LINE, f"the line is longer than {LONGEST_LINE} bytes"),
    ],
)
def test_every_other_spelling_is_refused(line: bytes, why: str) -> None:
    assert refusal(line) == why


def test_causes_of_doubt_come_in_their_order() -> None:
    backwards = Window("o", {Cause.STALE: 1, Cause.NOT_FOUND: 1}, 0, 0)
    assert refusal(encode(Entry(7, HOUR, backwards))).startswith("doubt is not counts under some of ")


lines = st.sampled_from(tuple(LINES.values()))


@given(lines, st.data())
def test_whatever_is_read_is_written_the_same(line: bytes, data: st.DataObject) -> None:
    """No two lines say the same thing: another byte is another record, or none."""
    at = data.draw(st.integers(0, len(line) - 2))
    byte = data.draw(st.integers(0, 255))
    changed = line[:at] + bytes([byte]) + line[at + 1 :]
    try:
        entry = decode(changed)
    except LedgerLineError:
        return
    assert encode(entry) == changed


plain_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@given(lines, plain_json, st.data())
def test_a_member_of_any_other_value_is_refused_without_an_error_of_another_kind(
    line: bytes, value: Any, data: st.DataObject
) -> None:
    members = orjson.loads(line)
    name = data.draw(st.sampled_from(list(members)))
    changed = orjson.dumps({**members, name: value})
    try:
        entry = decode(changed)
    except LedgerLineError:
        return
    assert encode(entry) == changed + b"\n"


def test_the_greatest_seq_is_one_that_every_json_reader_holds() -> None:
    line = encode(Entry(2**53 - 1, HOUR, Heartbeat()))
    assert decode(line).seq == 2**53 - 1
    assert refusal(line.replace(b"740991", b"740992")) == "seq is not a seq"


def test_a_line_may_be_as_long_as_what_the_vocabulary_allows() -> None:
    order = EXAMPLES["order"]
    assert isinstance(order, OrderAccepted)
    order = replace(order, authority_territory=tuple(["UA-43"] * 8192))
    line = encode(Entry(7, HOUR, order))
    assert len(line) < LONGEST_LINE
    assert re.fullmatch(rb"[^\n]+\n", line)
    assert decode(line).record == order
