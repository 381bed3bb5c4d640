"""The only place that puts the parts together: settings and files in, a serving gate out.

A gate of one process loads, judges and answers its operator by itself. Of several, a supervisor loads, declares and
answers, and workers judge; everything else about them is the same, down to the code.
"""

import asyncio
import gc
import logging
import resource
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from socket import AF_UNIX, socket
from typing import Any, NamedTuple

import aiohttp.http_parser
import uvloop

from joingate.admin.service import AdminService, Census, Status
from joingate.aside import look_at_everything_once
from joingate.codecs.dialects import describe_joins, dialect_of
from joingate.core.census import census
from joingate.core.errors import RefusedInputError
from joingate.core.rule_set import RuleSet
from joingate.ejecting import is_verified
from joingate.gate.binding import bind, bind_for_several
from joingate.geodb.atlas import Atlas
from joingate.geodb.database import check_c_reader
from joingate.geodb.load import Fingerprint
from joingate.ledger.journal import Journal
from joingate.ledger.role import Role
from joingate.loading import Part, databases_of, load_all, part_fingerprint, routes_of
from joingate.reload import Judging, Reloader
from joingate.serving import Serving, keep_ledger, keep_up, log_defect, server_tls
from joingate.settings import Settings
from joingate.status import Served, Several, build_status
from joingate.supervising import Supervising
from joingate.workers.nursery import Nursery
from joingate.working import live

_log = logging.getLogger("joingate")


def check_parsers() -> None:
    """Refuse to run on the pure-Python parsers, which have had the worse faults.

    Raises:
        RefusedInputError: with what to install or unset.
    """
    check_c_reader()
    if aiohttp.http_parser.HttpRequestParser is aiohttp.http_parser.HttpRequestParserPy:
        raise RefusedInputError(
            "aiohttp runs on its pure-Python parser; "
            "unset AIOHTTP_NO_EXTENSIONS, and install aiohttp from a binary wheel"
        )


def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit status: 1 when the gate had to give up.

    Raises:
        RefusedInputError: rules, databases, certificates or addresses cannot be used.
    """
    check_parsers()
    _forbid_core_dumps()
    if settings.gate.workers == 1:
        serve, role = _serve, Role.ALONE
    else:
        nursery = Nursery(partial(live, settings))  # first of all, while there is one thread, and nothing to copy
        serve, role = partial(_supervise, nursery), Role.LEADER
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(serve(settings, _load(settings, role)))


def _forbid_core_dumps() -> None:
    """Keep memory, and the addresses in it, off the disk. A limit of 1 stops a piped dump too, 0 does not (core(5))."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = min(hard, 1) if hard != resource.RLIM_INFINITY else 1
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


class _Loaded(NamedTuple):
    """What a gate begins with."""

    rules: RuleSet
    atlas: Atlas
    journal: Journal
    seen: Mapping[Part, Fingerprint]

    @property
    def in_use(self) -> tuple[RuleSet, Atlas]:
        return self.rules, self.atlas


def _load(settings: Settings, role: Role) -> _Loaded:
    seen = {part: part_fingerprint(settings, part) for part in Part}  # before loading: a later change is noticed
    gc.disable()  # nothing of what is loaded is garbage, and there may be a million of it to go through
    rules, atlas = load_all(settings)
    journal = Journal(settings.ledger.path, role=role)
    journal.open()
    journal.use_databases(databases_of(atlas))
    journal.use_rules(rules, journal.declare(rules))
    gc.freeze()  # a hundred thousand rules are looked through by no collection: they go when a reload drops them
    look_at_everything_once()
    gc.enable()
    return _Loaded(rules, atlas, journal, seen)


async def _serve(settings: Settings, loaded: _Loaded) -> int:
    """Be a gate of one process."""
    stop = _prepare_loop()
    journal = loaded.journal
    serving = Serving(settings, loaded.in_use, journal)
    reloader = _reloader(settings, serving.replacing, loaded)
    del loaded  # a reload is to let go of it
    served = _served(settings)

    async def status() -> dict[str, Any]:
        several = Several(is_draining=serving.gate.is_draining)
        return build_status(served, reloader, journal, serving.share(), several)

    async def count(meeting: str) -> dict[str, str]:
        return census(serving.count_places(meeting))

    admin = _admin(settings, status, count, reloader)
    sockets = bind(settings.gate.listen)
    await serving.listen(sockets)
    try:
        await admin.start()
        _log_addresses(sockets, admin, reloader)
        async with AsyncExitStack() as stack:
            serving.begin(stack, [partial(reloader.watch_files, part) for part in Part])
            _on_signals(stop, reloader, _refuse_to_renew)
            await stop.wait()
            _log.info("draining: %d participants inside", len(serving.gate.roster))
            await serving.drain()
    finally:
        await admin.stop()
    return 0


async def _supervise(nursery: Nursery, settings: Settings, loaded: _Loaded) -> int:
    """Be a gate of several processes."""
    stop = _prepare_loop()
    journal = loaded.journal
    server_tls(settings.gate)  # what a worker would refuse is refused once, here
    listening = bind_for_several(settings.gate.listen, settings.gate.workers)
    supervising = Supervising(settings, nursery, {Part.GEODB: loaded.atlas, Part.RULES: loaded.rules}, listening)
    reloader = _reloader(settings, supervising, loaded)
    del loaded  # a reload is to let go of it
    served = _served(settings)

    async def status() -> dict[str, Any]:
        share = await supervising.share()
        several = Several(supervising.places(), supervising.problems, supervising.is_ready, supervising.is_draining)
        return build_status(served, reloader, journal, share, several)

    admin = _admin(settings, status, supervising.census, reloader)
    try:
        await admin.start()
        await supervising.start()
        _log_addresses(listening[0], admin, reloader)
        async with AsyncExitStack() as stack:
            keep_ledger(stack, journal, _nobody_is_inside)
            keep_up(stack, [partial(reloader.watch_files, part) for part in Part])
            _on_signals(stop, reloader, supervising.renew_soon)
            losing = asyncio.get_running_loop().create_task(supervising.lost())
            losing.add_done_callback(lambda _: stop.set())
            await stop.wait()
            is_lost = losing.done()
            losing.cancel()
            await supervising.drain()
    finally:
        await admin.stop()
    if is_lost:
        _log.error("no worker is left, and none can be begun; restart the gate")
    return int(is_lost)


def _refuse_to_renew() -> None:
    """Say why not: by default the signal would end the process, and everybody's meetings with it."""
    _log.error("SIGUSR2: one process cannot take its own place; write workers = 2 in [gate], and restart")


async def _nobody_is_inside() -> None:
    """Judge nobody again once the ledger takes records again: each worker does so for those inside it."""


def _prepare_loop() -> asyncio.Event:
    asyncio.get_running_loop().set_exception_handler(log_defect)
    return asyncio.Event()


def _reloader(settings: Settings, judging: Judging, loaded: _Loaded) -> Reloader:
    return Reloader(settings, judging, loaded.in_use, loaded.journal, loaded.seen)


def _served(settings: Settings) -> Served:
    upstream = settings.upstream
    dialect = dialect_of(upstream.server, upstream.components)
    kind = "generic" if dialect is None else dialect.name
    return Served(kind, describe_joins(upstream.server, routes_of(settings)), is_verified(settings))


def _admin(settings: Settings, status: Status, count: Census, reloader: Reloader) -> AdminService:
    return AdminService(
        settings.admin.listen,
        token_file=settings.admin.token_file,
        tls=server_tls(settings.admin),
        status=status,
        census=count,
        reload=reloader.reload_by_command,
    )


def _on_signals(stop: asyncio.Event, reloader: Reloader, renew: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reloader.reload_by_signal)
    loop.add_signal_handler(signal.SIGUSR2, renew)
    # Held back since the first lines of __main__, so that none is lost and none ends the process.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})


def _log_addresses(sockets: Sequence[socket], admin: AdminService, reloader: Reloader) -> None:
    for each in sockets:
        name = each.getsockname()
        _log.info("listening on %s", f"unix:{name}" if each.family == AF_UNIX else f"{name[0]}:{name[1]}")
    _log.info("admin service on %s; revision %s", admin.address, reloader.rules.revision)
