"""Rule files as a whole: the examples load, and each mistake has its words (one for each entry of `bad_rules/`)."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from joingate.codecs import rulefile
from joingate.codecs.rule_document import parse_document
from joingate.codecs.rulefile import parse_rules
from joingate.core.errors import RefusedInputError
from joingate.core.rules import Action, Asked, Authority, HostPolicy, Order, Rule
from joingate.core.territory import GROUPS

FOLDER = Path(__file__).parent / "bad_rules"
EXAMPLES = Path(__file__).parents[2] / "rules"
AUTHORITIES = b"""
[authority.cac]
name = "Administration"
branch = "regulator"
territory = ["CN"]
"""

# Every line that the entries of bad_rules/ bring about. An entry is a file, which is read beside the authorities above,
# or a folder, which is a whole set of its own.
TABLE = r"""
action_end.toml: order "o-1": action: "end" is no action; write "reject" (new joins only) or "eject" (those inside as well): a rule acts on participants, never on a meeting or an account
action_list.toml: order "o-1": action: a list is no action; write "reject" (new joins only) or "eject" (those inside as well): a rule acts on participants, never on a meeting or an account
action_missing.toml: order "o-1": action: is missing; write "reject" (new joins only) or "eject" (those already inside as well)
action_suspend.toml: order "o-1": action: "suspend" is no action; write "reject" (new joins only) or "eject" (those inside as well): a rule acts on participants, never on a meeting or an account
action_terminate.toml: order "o-1": action: "terminate" is no action; write "reject" (new joins only) or "eject" (those inside as well): a rule acts on participants, never on a meeting or an account
asked_less_than_granted.toml: order "o-1": asked.territory: "CN" lies outside it, yet granted; write all that was asked for
asked_nothing.toml: order "o-1": asked: says nothing; write its objects or its territory, or remove it
asked_object.toml: order "o-1": asked.objects: "meetings" is not known here; write one of "meeting", "account", "participants", "data", "other"
asked_territory.toml: order "o-1": asked.territory: "CN-TW" has a country code of its own; write "TW"
authority_beside_order/authorities.toml: order: does not belong here, where authorities are named; move it to another file
authority_beside_order/authorities.toml: host_policy: does not belong here, where authorities are named; move it to another file
authority_blank_name/authorities.toml: authority "cac": name: is blank; write what the people restricted are to read
authority_branch/authorities.toml: authority "cac": branch: "court" is not known here; write one of "judicial", "executive", "police", "regulator", "other"
authority_elsewhere.toml: authority: does not belong here; move it to authorities.toml
authority_empty_territory/authorities.toml: authority "cac": territory: is empty; write at least one code, such as ["CN"]
authority_id/authorities.toml: authority "the CAC": "the CAC" cannot be an id; write 1 to 64 letters, digits, ".", "_" or "-" (A-Z, a-z, 0-9)
authority_missing.toml: order "o-1": authority: is missing; write the id of the authority, from authorities.toml, such as "cac"
authority_refused_orders_not_blamed/authorities.toml: authority "cac": territory: "China" is not an ISO 3166 code; write "CN"
authority_twice/authorities.toml: authority "cac": stands in authority_twice/authorities.json as well; remove one
authority_unknown.toml: order "o-1": authority: "cacc" is unknown; did you mean "cac"?
authority_unknown_far_off.toml: order "o-1": authority: "bundestag" is unknown; name it in authorities.toml, as [authority.ID]
authority_unreadable_orders_not_blamed/authorities.toml: line 1, at the end: is not TOML: expected ']' at the end of a table declaration
authority_without_branch/authorities.toml: authority "cac": branch: is missing; write the branch of state it belongs to, such as "judicial"
authority_without_name/authorities.toml: authority "cac": name: is missing; write the authority's full name, such as "Cyberspace Administration of China"
authority_without_territory/authorities.toml: authority "cac": territory: is missing; write where it has authority, such as ["CN"]
from_day.toml: order "o-1": from: 2020-06-03 is not a moment; write one such as 2020-06-03T16:00:00Z
from_local.toml: order "o-1": from: 2020-06-03T16:00:00 has no time zone; write an offset, e.g. 2020-06-03T16:00:00Z
from_local_text.json: order "o-1": from: 2020-06-03T16:00:00 has no time zone; write an offset, e.g. 2020-06-03T16:00:00Z
from_missing.toml: order "o-1": from: is missing; write the moment it comes into force, such as "2020-06-03T16:00:00Z"
from_no_such_moment.toml: order "o-1": from: "2020-06-03T24:00:01Z" is not in the calendar; write a moment such as 2020-06-03T16:00:00Z
from_number.toml: order "o-1": from: 1591200000.5 is not a moment; write one such as 2020-06-03T16:00:00Z
from_time.toml: order "o-1": from: 16:00:00 is not a moment; write one such as 2020-06-03T16:00:00Z
host_policy_allow_and_deny.toml: host_policy "h-1": allow: stands beside deny; keep one of the two
host_policy_allow_empty.toml: host_policy "h-1": allow: is empty; write at least one code, such as ["CN"]
host_policy_authority.toml: host_policy "h-1": unknown key "authority": only an order has it, and a host policy makes no legal claim; remove it
host_policy_neither.toml: host_policy "h-1": allow: is missing, and so is deny; write one of the two, such as allow = ["EU"]
host_policy_unknown.toml: host_policy "h-1": unknown: "deny" is not known here; write one of "admit", "reject"
host_policy_until.toml: host_policy "h-1": unknown key "until": only an order has it, and a host policy makes no legal claim; remove it
host_policy_without_id.toml: host_policy number 1: id: is missing; write an id that no other rule has, such as "board-eu-only"
id_ill_formed.toml: order number 1: id: "o 1" cannot be an id; write 1 to 64 letters, digits, ".", "_" or "-" (A-Z, a-z, 0-9)
id_missing.toml: order number 1: id: is missing; write an id that no other rule has, such as "cac-2020-0604-1"
id_number.toml: order number 1: id: 1 is not text; write "1"
id_of_order_and_host_policy.toml: host_policy "o-1": id: is that of an order in id_of_order_and_host_policy.toml as well; give every rule an id of its own
id_of_refused_order_twice.toml: order "o-1": action: is missing; write "reject" (new joins only) or "eject" (those already inside as well)
id_of_refused_order_twice.toml: order "o-1": id: is that of an order in id_of_refused_order_twice.toml as well; give every rule an id of its own
id_too_long.toml: order number 1: id: "ooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo" cannot be an id; write 1 to 64 letters, digits, ".", "_" or "-" (A-Z, a-z, 0-9)
id_twice.toml: order "o-1": id: is that of an order in id_twice.toml as well; give every rule an id of its own
id_twice_across_files/b.toml: order "o-1": id: is that of an order in id_twice_across_files/a.toml as well; give every rule an id of its own
legal_basis_address.toml: order "o-1": legal_basis: holds what reads as an IP address, and goes on record for good; write it without
legal_basis_blank.toml: order "o-1": legal_basis: is blank; write what the people restricted are to read
legal_basis_lines.toml: order "o-1": legal_basis: holds a line break or another control character; write it on one line
legal_basis_missing.toml: order "o-1": legal_basis: is missing; write the instrument and provision, such as "Cybersecurity Law, article 28"
legal_basis_too_long.toml: order "o-1": legal_basis: is longer than 2048 characters; shorten it, and publish the rest at notice_url
meetings_all.toml: order "o-1": meetings: "*" is every meeting; write the ids of the meetings, or service_wide = true where a sanction on the whole service demands it
meetings_all_beside_one.toml: order "o-1": meetings: "*" is every meeting; write the ids of the meetings, or service_wide = true where a sanction on the whole service demands it
meetings_all_of_host_policy.toml: host_policy "h-1": meetings: "*" is every meeting, and a host speaks for their own; write ids, or a prefix: "board-*"
meetings_asterisk_inside.toml: order "o-1": meetings: "all-*-hands" has a "*" before its end; write exact ids, or a prefix such as "all-hands-*"
meetings_control_character.toml: order "o-1": meetings: "m-1\u0007" holds a control character; write the meeting's own id
meetings_empty.toml: order "o-1": meetings: is empty, and would restrict nobody; write the ids of the meetings, such as ["8412345678"]
meetings_empty_id.toml: order "o-1": meetings: an empty id names no meeting; remove it
meetings_list_in_list.toml: order "o-1": meetings: a list is not text; write text in quotes, such as "8412345678"
meetings_missing.toml: order "o-1": meetings: is missing; write exact ids, prefixes ("all-hands-*"), or ["*"] with service_wide, such as ["8412345678"]
meetings_number.toml: order "o-1": meetings: 8412345678 is not text; write "8412345678"
meetings_text.toml: order "o-1": meetings: "8412345678" stands where a list is meant; write ["8412345678"]
meetings_too_long.toml: order "o-1": meetings: "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm..." is longer than 512 characters; write the meeting's own id
meetings_true.toml: order "o-1": meetings: true stands where a list is meant; write ["8412345678"]
meetings_white_space.toml: order "o-1": meetings: " m-1" has white space at an end, and would never match; write "m-1"
notation_byte_order_mark.toml: begins with a byte order mark; save the file as UTF-8 without one
notation_json.json: line 2, column 15: is not JSON: expecting ',' delimiter
notation_json_constant.json: NaN is not JSON; remove it
notation_json_key_twice.json: key "order" stands twice in one object; remove one
notation_json_list.json: is no JSON object; write one, such as {"order": []}
notation_json_surrogate.json: holds half of a surrogate pair; write the character itself
notation_key_twice.toml: line 12, column 11: is not TOML: cannot overwrite a value
notation_long_number.json: holds a number of thousands of digits; write an id in quotes
notation_long_number.toml: holds a number of thousands of digits; write an id in quotes
notation_neither.yaml: is neither .toml nor .json; rename it, or move it elsewhere
notation_not_utf8.toml: line 2: is not UTF-8; save the file as UTF-8
notation_toml.toml: line 2, column 4: is not TOML: expected '=' after a key in a key/value pair
notation_toml_end.toml: line 2, at the end: is not TOML: expected "'"
notation_too_deep.toml: is nested too deeply; write it as the examples are written
notice_url_control_character.toml: order "o-1": notice_url: "https://example.org/\n" is no absolute URL; write one such as "https://example.org/orders/1"
notice_url_no_host.toml: order "o-1": notice_url: "https:///1" is no absolute URL; write one such as "https://example.org/orders/1"
notice_url_port.toml: order "o-1": notice_url: "https://example.org:port/" is no absolute URL; write one such as "https://example.org/orders/1"
notice_url_relative.toml: order "o-1": notice_url: "/orders/1" is no absolute URL; write one such as "https://example.org/orders/1"
notice_url_scheme.toml: order "o-1": notice_url: "ftp://example.org/1" is no absolute URL; write one such as "https://example.org/orders/1"
notice_url_too_long.toml: order "o-1": notice_url: is longer than 2048 characters; write a shorter URL
order_allow.toml: order "o-1": unknown key "allow": only a host policy has it; an order names its territory
order_unknown.toml: order "o-1": unknown key "unknown": only a host policy has it; an order names its territory
received_after_from.toml: order "o-1": from: 2020-06-03T16:00:00Z is before the order was received (2020-06-05); write a moment on that day or later
received_missing.toml: order "o-1": received: is missing; write the day the demand was received, such as "2020-05-29"
received_moment.toml: order "o-1": received: 2020-05-29 12:00:00+00:00 is not a day; write one such as 2020-05-29
received_no_such_day.toml: order "o-1": received: "2021-02-29" is not in the calendar; write a day such as 2020-05-29
received_text.toml: order "o-1": received: "last Friday" is not a day; write one such as 2020-05-29
reference_mail.toml: order "o-1": reference: holds what reads as a mail address, and goes on record for good; write it without
reference_missing.toml: order "o-1": reference: is missing; write the authority's own reference, such as "2020/0604"
reference_number.toml: order "o-1": reference: true is not text; write text in quotes, such as "2020/0604"
service_wide_text.toml: order "o-1": service_wide: "true" is neither true nor false; write true or false, without quotes
service_wide_too_long.toml: order "o-1": until: is more than 366 days after from; write an earlier moment, and a new order for the renewal
service_wide_with_meetings.toml: order "o-1": service_wide: is true, and meetings names some; write meetings = ["*"], or remove service_wide
several_at_once.toml: order "o-1": territory: "UK" is not an ISO 3166 code; write "GB"
several_at_once.toml: order "o-1": action: "end" is no action; write "reject" (new joins only) or "eject" (those inside as well): a rule acts on participants, never on a meeting or an account
several_at_once.toml: order "o-2": until: is more than 90 days after from; write an earlier moment, and a new order for the renewal
several_at_once.toml: host_policy "h-1": allow: is missing, and so is deny; write one of the two, such as allow = ["EU"]
shadow_number.toml: order "o-1": shadow: 1 is neither true nor false; write true or false, without quotes
table_asked_as_text.toml: order "o-1": asked: "account" stands where a table is meant; write asked = { objects = ["meeting"], territory = ["CN"] }
table_authority_as_list/authorities.toml: authority: a list stands where a table is meant; write [authority.ID] and its keys below it
table_authority_as_text/authorities.toml: authority "cac": "x" stands where a table is meant; write [authority.ID] and its keys below it
table_key_far_off.toml: order "o-1": unknown key "zzz"; write one of id, authority, territory, meetings, action, legal_basis, reference, received, from, until, service_wide, asked, notice_url, shadow
table_key_of_asked_unknown.toml: order "o-1": asked: unknown key "object"; did you mean "objects"?
table_key_unknown.toml: order "o-1": unknown key "teritory"; did you mean "territory"?
table_of_numbers.json: order number 1: 7 stands where a table is meant; write [[order]] and its keys below it
table_single_brackets.toml: order: a table stands where a list of tables is meant; write [[order]] and its keys below it
table_unknown.toml: unknown key "orders"; did you mean "order"?
territory_beyond_a_group/orders.toml: order "o-1": territory: "CH", "NO" lie outside the territory of authority "eu" (AT, BE, BG, CY, CZ, ...); an order reaches no further than its authority: remove it
territory_country_of_subdivision/orders.toml: order "o-1": territory: "UA" lies outside the territory of authority "crimea" (UA-43); an order reaches no further than its authority: remove it
territory_empty.toml: order "o-1": territory: is empty; write at least one code, such as ["CN"]
territory_far_outside.toml: order "o-1": territory: "AT", "BE", "BG", "CY", "CZ" and 22 more lie outside the territory of authority "cac" (CN); an order reaches no further than its authority: remove it
territory_long.toml: order "o-1": territory: "The People's Republic" is not a territory; write an ISO 3166 code such as "DE" or "UA-43"
territory_lower_case.toml: order "o-1": territory: "cn" is not written as ISO 3166 writes it; write "CN"
territory_mistaken.toml: order "o-1": territory: "UK" is not an ISO 3166 code; write "GB"
territory_name.toml: order "o-1": territory: "Bavaria" is not a territory; write an ISO 3166-1 alpha-2 code such as "DE", an ISO 3166-2 code such as "UA-43", or a group (EU, EU+, EEA)
territory_no_place.toml: order "o-1": territory: "A1" is no territory: whoever cannot be placed is not restricted; remove it
territory_number.toml: order "o-1": territory: 156 is not text; write text in quotes, such as "CN"
territory_outside.toml: order "o-1": territory: "HK" lies outside the territory of authority "cac" (CN); an order reaches no further than its authority: remove it
territory_own_country_code.toml: order "o-1": territory: "CN-HK" has a country code of its own; write "HK"
territory_subdivision.toml: order "o-1": territory: "CN-99" does not exist in ISO 3166-2; of "CN" it has "CN-XZ", "CN-YN", "CN-ZJ" and others
territory_text.toml: order "o-1": territory: "CN" stands where a list is meant; write ["CN"]
territory_two_mistakes.toml: order "o-1": territory: "UK" is not an ISO 3166 code; write "GB"
territory_two_mistakes.toml: order "o-1": territory: "cn" is not written as ISO 3166 writes it; write "CN"
territory_without_subdivisions.toml: order "o-1": territory: "HK-1" does not exist: ISO 3166-2 has no parts of "HK"; write "HK"
until_before_from.toml: order "o-1": until: 2020-06-03T16:00:00Z is not after from; write a later moment
until_missing.toml: order "o-1": until: is missing; write the moment it ends, at most 90 days later (366 if service_wide), such as "2020-06-04T16:00:00Z"
until_null.json: order "o-1": until: null is not a moment; write one such as 2020-06-03T16:00:00Z
until_too_late.toml: order "o-1": until: is more than 90 days after from; write an earlier moment, and a new order for the renewal
"""  # noqa: E501 - a message is one line, here as well


MESSAGES: dict[str, list[str]] = {}
for line in TABLE.strip().splitlines():
    MESSAGES.setdefault(re.split("[/:]", line)[0], []).append(line)


def examples() -> dict[str, bytes]:
    files = {f"rules/{path.name}": path.read_bytes() for path in EXAMPLES.iterdir()}
    readme = files.pop("rules/README.md").decode()
    assert [name for name in files if f"`{name.removeprefix('rules/')}`" not in readme] == []
    return files


def rule(rule_id: str) -> Rule:
    return next(rule for rule in parse_rules(examples()).rules if rule.id == rule_id)


def test_no_files_are_no_rules() -> None:
    assert len(parse_rules({})) == 0
    assert len(parse_rules({"rules/empty.toml": b"", "rules/empty.json": b"{}"})) == 0


def test_examples_load() -> None:
    kinds = {type(rule).__name__ for rule in parse_rules(examples()).rules}
    assert kinds == {"Order", "HostPolicy"}


def test_an_order_is_compiled_whole() -> None:
    cac = Authority("cac", "Cyberspace Administration of China", "regulator", frozenset({"CN"}))
    assert rule("cac-2020-0604-1") == Order(
        id="cac-2020-0604-1",
        authority=cac,
        territory=frozenset({"CN"}),
        meetings=("8412345678",),
        action=Action.EJECT,
        legal_basis="Cybersecurity Law of the People's Republic of China, article 50 (as an example)",
        reference="made up: 2020/0604/1",
        received=date(2020, 5, 29),
        opens=1591200000.0,
        closes=1591286400.0,
        asked=Asked(("meeting", "account"), ("CN", "HK")),
        notice_url="https://example.org/orders/cac-2020-0604-1",
    )


def test_the_authoritys_territory_is_the_default() -> None:
    order = rule("musterstadt-2026-117")
    assert isinstance(order, Order)
    assert order.territory == frozenset({"DE"})


def test_a_host_policy_is_compiled_whole() -> None:
    assert rule("treasury-dk-only") == HostPolicy(
        "treasury-dk-only", ("demo-treasury",), Action.REJECT, allow=frozenset({"DK"}), reject_unknown=True
    )
    allowed = rule("board-eu-ch-only")
    assert isinstance(allowed, HostPolicy)
    assert allowed.allow == GROUPS["EU"].members | {"CH"}


def test_toml_and_json_mean_the_same() -> None:
    as_json = {name: content for name, content in examples().items() if name.endswith(("authorities.toml", ".json"))}
    order = b"""
[[order]]
id = "musterstadt-2026-118"
authority = "ag-musterstadt"
territory = ["DE"]
meetings = ["demo-4717"]
action = "reject"
legal_basis = "Code of Civil Procedure, section 935: interim injunction"
reference = "11 C 118/26"
received = 2026-10-28
from = 2026-11-01T00:00:00+01:00
until = 2026-12-31T00:00:00+01:00
asked = { objects = ["meeting"] }

[[host_policy]]
id = "standup-eea-only"
meetings = ["demo-standup"]
allow = ["EEA"]
action = "reject"
shadow = true
"""
    as_toml = {"authorities.toml": as_json["rules/authorities.toml"], "x.toml": order}
    assert parse_rules(as_json).revision == parse_rules(as_toml).revision


def test_problems_stand_by_file_name_whatever_the_order_of_the_files() -> None:
    with pytest.raises(RefusedInputError) as refused:
        parse_rules({"b.toml": b"[[orders]]", "a.toml": b"[[orders]]", "a.json": b"[]"})
    assert refused.value.problems == (
        'a.json: is no JSON object; write one, such as {"order": []}',
        'a.toml: unknown key "orders"; did you mean "order"?',
        'b.toml: unknown key "orders"; did you mean "order"?',
    )


def test_meeting_ids_are_folded_as_asked() -> None:
    policy = b'[[host_policy]]\nid = "h"\nmeetings = ["Board-*"]\nallow = ["EU"]\naction = "reject"\n'
    assert parse_rules({"x.toml": policy}).for_meeting("board-1") == ()
    assert len(parse_rules({"x.toml": policy}, fold=str.lower).for_meeting("board-1")) == 1


def test_a_file_that_says_the_same_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = b'[[host_policy]]\nid = "%b"\nmeetings = ["m"]\nallow = ["EU"]\naction = "reject"\n'
    files = examples() | {"rules/x.toml": policy % b"x", "rules/y.toml": policy % b"y"}
    before = parse_rules(files)
    parsed: list[str] = []

    def parse(name: str, content: bytes) -> dict[str, Any]:
        parsed.append(name)
        return parse_document(name, content)

    monkeypatch.setattr(rulefile, "parse_document", parse)
    after = parse_rules(files | {"rules/x.toml": policy % b"z"}, previous=before)
    assert parsed == ["rules/authorities.toml", "rules/x.toml"]
    assert {rule.id for rule in after.rules} == {rule.id for rule in before.rules} - {"x"} | {"z"}
    assert parse_rules(files, previous=after).rules == before.rules


def test_a_file_is_read_again_where_its_authorities_have_changed() -> None:
    files = examples()
    before = parse_rules(files)
    renamed = files["rules/authorities.toml"].replace(b'name = "', b'name = "The ')
    after = parse_rules(files | {"rules/authorities.toml": renamed}, previous=before)
    for rule in after.rules:
        assert not isinstance(rule, Order) or rule.authority.name.startswith("The ")
    with pytest.raises(RefusedInputError, match="is unknown"):
        parse_rules(files | {"rules/authorities.toml": b""}, previous=before)


def problems_of(entry: Path) -> tuple[str, ...]:
    if entry.is_dir():
        files = {f"{entry.name}/{file.name}": file.read_bytes() for file in entry.iterdir()}
    else:
        files = {"authorities.toml": AUTHORITIES, entry.name: entry.read_bytes()}
    with pytest.raises(RefusedInputError) as refused:
        parse_rules(files)
    return refused.value.problems


@pytest.mark.parametrize("name", MESSAGES)
def test_each_mistake_has_its_message(name: str) -> None:
    assert problems_of(FOLDER / name) == tuple(MESSAGES[name])


def test_every_mistake_is_in_the_table() -> None:
    assert {entry.name for entry in FOLDER.iterdir()} == MESSAGES.keys()


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_single_lines_in_one_voice(name: str) -> None:
    for message in MESSAGES[name]:
        assert message.splitlines() == [message]
        assert "http" not in message or "notice_url" in message
        assert "pydantic" not in message
        assert "Input should" not in message
        assert not message.endswith(".")
