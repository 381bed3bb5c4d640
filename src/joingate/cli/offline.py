"""joingate check, joingate explain: what the production loader and the production judgement say, without serving."""

import argparse
import time
from datetime import UTC, datetime
from typing import Any

import orjson

from joingate.app import check_parsers
from joingate.cli.options import Commands, add_config, add_json, settings_of
from joingate.codecs.dialects import describe_joins
from joingate.codecs.join_request import AmbiguousRequestError
from joingate.core.client_address import parse_address
from joingate.core.decision import Decision, decide, reassess
from joingate.core.errors import RefusedInputError
from joingate.core.lint import remarks
from joingate.core.model import Address, Join, Location, Verdict
from joingate.core.receipt import Receipt
from joingate.core.record import Told
from joingate.core.roster import Event, Participant, Roster
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Order, Rule
from joingate.loading import fold_of, load_all, matcher_of, routes_of, unenforceable
from joingate.settings import Settings


def register(commands: Commands) -> None:
    """Add the commands."""
    check = commands.add_parser(
        "check", help="load configuration, rules and databases as serve would, and say what is wrong"
    )
    explain = commands.add_parser("explain", help="say what would happen to a join, and why")
    explain.add_argument("--ip", required=True, metavar="ADDRESS", help="the client_ip")
    of = explain.add_mutually_exclusive_group(required=True)
    of.add_argument("--meeting", metavar="ID", help="the meeting's id, as the meeting server has it")
    of.add_argument("--request", metavar="TARGET", help="a request's target, such as /meetings/m1/join?user=bob")
    explain.add_argument("--at", metavar="TIME", help="RFC 3339, such as 2026-06-03T16:00:00Z; default: now")
    for parser, run in ((check, _check), (explain, _explain)):
        add_config(parser)
        add_json(parser)
        parser.set_defaults(run=run)


def _check(chosen: argparse.Namespace) -> int:
    check_parsers()
    rules, atlas = load_all(settings_of(chosen))
    orders = sum(isinstance(rule, Order) for rule in rules.rules)
    found: dict[str, Any] = {
        "revision": rules.revision,
        "orders": orders,
        "host_policies": len(rules) - orders,
        "databases": [str(database.path) for database in atlas.databases],
        "warnings": [*unenforceable(rules, atlas), *remarks(rules, time.time())],
    }
    if chosen.json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return 0
    print(f"good: revision {rules.revision}, {orders} orders, {found['host_policies']} host policies")
    for database in atlas.databases:
        print(f"good: {database.path} ({database.vetting.database_type})")
    for warning in found["warnings"]:
        print(f"warning: {warning}")
    return 0


def _explain(chosen: argparse.Namespace) -> int:
    settings = settings_of(chosen)
    address = parse_address(chosen.ip)
    if address is None:
        raise RefusedInputError(
            f'--ip: "{_printable(chosen.ip)}" is not an IPv4 or IPv6 address; write e.g. 203.0.113.7'
        )
    at = _moment(chosen.at)
    rules, atlas = load_all(settings)
    join = _join(settings, chosen)
    location = atlas.locate(address, at)
    decision = decide(join, location, rules, at)
    explanation = {
        "client_ip": str(address),
        "meeting": join.meeting,
        "participant": join.participant,
        "host": join.host,
        "request": chosen.request,
        "server": settings.upstream.server,
        "joins": describe_joins(settings.upstream.server, routes_of(settings)),
        "at": datetime.fromtimestamp(at, UTC).isoformat(),
        "revision": rules.revision,
        "location": {
            "country": location.country,
            "subdivision": location.subdivision,
            "cause": location.cause,
            "sources": location.sources,
        },
        "databases": [_one_answer(database.path, database.get(address)) for database in atlas.databases],
        "rules": [_one_rule(rule, location, at) for rule in rules.for_meeting(join.meeting)],
        "join": {"verdict": decision.verdict, "reason": decision.reason, "rule": decision.rule and decision.rule.id},
        "inside": _inside(join, address, location, rules, at),
    }
    if chosen.json:
        print(orjson.dumps(explanation, option=orjson.OPT_INDENT_2).decode())
    else:
        _print_explanation(explanation)
    return 0


def _join(settings: Settings, chosen: argparse.Namespace) -> Join:
    """Return the join in question: into a meeting named plainly, or as the gate reads a request's target."""
    if chosen.request is None:
        if (printable := _printable(chosen.meeting)) != chosen.meeting:
            raise RefusedInputError(
                f'--meeting: "{printable}" is not UTF-8, as the ids of meetings are; write it in UTF-8'
            )
        return Join(fold_of(settings)(chosen.meeting))
    target = chosen.request.encode(errors="surrogateescape")
    try:
        join = matcher_of(settings).match(b"GET", target, [])
    except AmbiguousRequestError as error:
        raise RefusedInputError(f"--request: the gate answers 400 to it: {error.detail}") from None
    if join is None:
        raise RefusedInputError(
            "--request: is no join by its head, and goes on without being judged; "
            "what is one, `joingate explain --meeting ID --json` lists"
        )
    return join


def _moment(text: str | None) -> float:
    if text is None:
        return time.time()
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC).timestamp()
    except (ValueError, OverflowError):  # no time at all, or one that UTC has no four-digit year for
        pass
    raise RefusedInputError(f'--at: "{_printable(text)}" is not a time with an offset; write e.g. 2026-06-03T16:00:00Z')


def _printable(argument: str) -> str:
    """Show the bytes of an argument that are not UTF-8."""
    return argument.encode(errors="backslashreplace").decode()


def _one_answer(path: object, location: Location) -> dict[str, object]:
    return {
        "path": str(path),
        "country": location.country,
        "subdivision": location.subdivision,
        "cause": location.cause,
    }


def _one_rule(rule: Rule, location: Location, at: float) -> dict[str, object]:
    return {
        "rule": rule.id,
        "kind": "order" if isinstance(rule, Order) else "host_policy",
        "action": rule.action,
        "in_force": rule.in_force(at),
        "matches": rule.match(location),
        "shadow": rule.shadow,
    }


def _inside(join: Join, address: Address, location: Location, rules: RuleSet, at: float) -> Verdict:
    """Say what would happen to somebody who is inside already, were nobody else there."""
    roster = Roster()
    participant = roster.register(join, address, _Nobody())
    roster.apply(participant, Event.ADMIT)
    participant.location = location
    denied = reassess([participant], rules, at)
    return denied[0][1].verdict if denied else Verdict.ADMIT


class _Nobody:
    """The connection of somebody who is only imagined."""

    telling = Told.NOT

    def eject(self, participant: Participant, decision: Decision, receipt: Receipt) -> None:
        """Nothing to end."""


def _print_explanation(found: dict[str, Any]) -> None:
    location, join = found["location"], found["join"]
    place = location["subdivision"] or location["country"] or f"unknown ({location['cause']})"
    print(
        f"{found['client_ip']} is located in {place}"
        if location["country"]
        else f"{found['client_ip']}: location {place}"
    )
    for answer in found["databases"]:
        said = answer["subdivision"] or answer["country"] or answer["cause"]
        print(f"  {answer['path']} says {said}")
    if not found["rules"]:
        print(f"no rule names meeting {found['meeting']}")
    for rule in found["rules"]:
        force = "in force" if rule["in_force"] else "not in force"
        shadow = ", in shadow" if rule["shadow"] else ""
        print(f"  {rule['kind']} {rule['rule']} ({rule['action']}{shadow}): {force}, matches: {rule['matches']}")
    if found["request"] is not None:
        print(f"read from the request: meeting {found['meeting']}, participant {found['participant']}")
    if found["request"] is not None or found["server"] != "generic":
        print(f"joins of this server ({found['server']}):")
        for line in found["joins"]:
            print(f"  {line}")
    by = f" by {join['rule']}" if join["rule"] else ""
    print(f"a join would be: {join['verdict']}{by} ({join['reason']})")
    print(f"somebody inside would be: {'left undisturbed' if found['inside'] == 'admit' else found['inside']}")
