"""joingate reload, joingate status: commands that ask a serving gate through its admin service."""

import argparse
import asyncio
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from joingate.admin.service import read_token
from joingate.cli.options import Commands, add_config, add_json, settings_of
from joingate.codecs.endpoint import UnixEndpoint
from joingate.core.errors import RefusedInputError
from joingate.settings import Settings


def register(commands: Commands) -> None:
    """Add the commands."""
    status = commands.add_parser("status", help="show what a serving gate is doing")
    reload = commands.add_parser("reload", help="have a serving gate load rules and databases again")
    reload.add_argument("--confirm", metavar="REVISION", help="a revision that ejects more than rules.max_ejections")
    for parser, run in ((status, _status), (reload, _reload)):
        add_config(parser)
        add_json(parser)
        parser.set_defaults(run=run)


def _status(chosen: argparse.Namespace) -> int:
    _, status = asyncio.run(_ask(settings_of(chosen), "GET", "/v1/status", None))
    if chosen.json:
        print(orjson.dumps(status, option=orjson.OPT_INDENT_2).decode())
        return 0
    rules, geodb = status["rules"], status["geodb"]
    print(f"{status['state']}: {status['participants']} participants in {status['meetings']} meetings")
    for each in status["workers"]:
        print(f"worker    {each['worker']}: {each['state']}, {each['restarts']} restarts")
    print(f"rules     revision {rules['revision']}, {rules['count']} rules, {rules['orders_in_force']} orders in force")
    for database in geodb["databases"]:
        print(f"database  {database['path']} ({database['type']}), build_epoch {database['build_epoch']}")
    for each in status["decisions"]:
        print(f"decisions {each['verdict']:<7} {each['reason']:<15} {each['count']}")
    for each in status["by_rule"]:
        print(f"rule      {each['rule']}: {each['verdict']} {each['count']}")
    for cause, count in status["doubt_admitted"].items():
        print(f"doubt     {cause}: admitted {count}")
    ledger = status["ledger"]
    print(f"ledger    {ledger['records']} records in {ledger['path']}; admitted unrecorded: {ledger['unrecorded']}")
    _print_reload(status)
    return 0


def _reload(chosen: argparse.Namespace) -> int:
    code, status = asyncio.run(_ask(settings_of(chosen), "POST", "/v1/reload", {"confirm": chosen.confirm}))
    if chosen.json:
        print(orjson.dumps(status["reloads"]["last"], option=orjson.OPT_INDENT_2).decode())
    else:
        _print_reload(status)
    return 0 if code == 200 else 1


def _print_reload(status: dict[str, Any]) -> None:
    for warning in status["rules"]["warnings"]:
        print(f"warning   {warning}")
    for problem in status["problems"]:
        print(f"problem   {problem}")
    last = status["reloads"]["last"]
    if last is not None and last["ok"]:
        print(
            f"reload    revision {status['rules']['revision']} in use: {last['reassessed']} judged again, "
            f"{last['ejected']} ejected, {last['deferred']} deferred"
        )


async def _ask(settings: Settings, method: str, path: str, body: object) -> tuple[int, dict[str, Any]]:
    """Send one request to the admin service.

    Raises:
        RefusedInputError: nobody answers there, or the answer is a refusal.
    """
    endpoint = settings.admin.listen
    connector: aiohttp.BaseConnector
    if isinstance(endpoint, UnixEndpoint):
        connector, authority = aiohttp.UnixConnector(str(endpoint.unix)), "localhost"
    else:
        connector, authority = aiohttp.TCPConnector(), str(endpoint)
    certificate = settings.admin.tls_certificate
    base = f"{'http' if certificate is None else 'https'}://{authority}"
    tls = True if certificate is None else _only_by(certificate)
    headers = {}
    if settings.admin.token_file is not None:
        headers["Authorization"] = f"Bearer {read_token(settings.admin.token_file)}"
    try:
        async with (
            aiohttp.ClientSession(connector=connector, headers=headers) as session,
            session.request(method, base + path, json=body, ssl=tls) as response,
        ):
            answer = _parse_answer(await response.read())
            if response.status in {200, 409} and "reloads" in answer:
                return response.status, answer
            reason = answer.get("title", "something else answers there; correct admin.listen")
            raise RefusedInputError(f"admin service at {endpoint}: {reason}")
    except (OSError, aiohttp.ClientError):
        raise RefusedInputError(
            f"admin service at {endpoint}: no answer; is a gate serving with this configuration?"
        ) from None


def _only_by(certificate: Path) -> ssl.SSLContext:
    """Trust whoever has this very certificate, which the configuration names, by whatever name they are reached.

    Raises:
        RefusedInputError: the file holds none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the chain need not lead to a root
    try:
        context.load_verify_locations(certificate)
    except (OSError, ssl.SSLError):
        raise RefusedInputError(
            f"admin.tls_certificate: {certificate}: holds no certificate; give a PEM file"
        ) from None
    return context


def _parse_answer(body: bytes) -> dict[str, Any]:
    """Read a JSON object; whatever else it is says nothing."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    return answer if isinstance(answer, dict) else {}
