"""Meeting servers that fail: the client gets 502, 504 or a visible cut, never something that looks whole and is not."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.edges.served import Folder, until_true
from tests.reliability.clients import HANDSHAKE, connect, each_of
from tests.reliability.scenario import Scenario
from tests.reliability.stage import Stage

BROKEN_HEADS: Final = (b"/closes", b"/mid-head", b"/garbage", b"/two-lengths", b"/long-head")
FRAMES: Final = b"\x81\x05hello\x82\x7dpart"
BROKEN_BODIES: Final = (b"/mid-body", b"/mid-chunk", b"/stops")


async def _ask(stage: Stage, request: bytes) -> tuple[str, bytes, bytes]:
    """Return the status of an answer, its head, and everything after it."""
    client = await connect(stage)
    try:
        client.send(request)
        status, head = await client.answer()
        return status, head, await client.rest()
    finally:
        client.writer.transport.abort()


def _get(path: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % path


async def no_answers(stage: Stage, times: int) -> None:
    """Ask a meeting server that closes, resets in a head, or answers what is no HTTP."""
    paths = iter(BROKEN_HEADS * times)

    async def ask() -> None:
        status, _, body = await _ask(stage, _get(next(paths)))
        stage.saw(status)
        stage.expect(body.endswith(b"}"), "an answer was cut short")

    await each_of(times, ask)
    stage.only("502")


async def cut_bodies(stage: Stage, times: int) -> None:
    """Ask a meeting server that resets, or falls silent, in the middle of a body."""
    paths = iter(BROKEN_BODIES * times)

    async def ask() -> None:
        status, head, body = await _ask(stage, _get(next(paths)))
        is_whole = status == "200" and (
            body.endswith(b"\r\n0\r\n\r\n") if b"chunked" in head.lower() else len(body) == 600
        )
        stage.saw("a whole answer" if is_whole else "seen to be cut short")

    await each_of(times, ask)
    stage.only("seen to be cut short")


async def cut_frames(stage: Stage, times: int) -> None:
    """Open WebSockets that the meeting server resets, between two frames or inside of one."""
    paths = iter((b"/mid-frame", b"/between-frames") * times)

    async def ask() -> None:
        status, _, frames = await _ask(stage, HANDSHAKE % next(paths))
        stage.expect(status == "101", f"a handshake was answered {status}")
        stage.saw("its frames and no more" if FRAMES.startswith(frames) else "more")

    await each_of(times, ask)
    stage.only("its frames and no more")


async def no_tunnels(stage: Stage, times: int) -> None:
    """Ask for WebSockets, and get a 101 that does not answer the handshake, with a message behind it."""

    async def ask() -> None:
        client = await connect(stage)
        try:
            client.send(HANDSHAKE % b"/no-tunnel")
            stage.saw(await client.status())
            client.writer.write_eof()
            stage.expect(b"hello" not in await client.rest(), "what is no WebSocket was relayed")
        finally:
            client.writer.transport.abort()

    await each_of(times, ask)
    stage.only("502")


async def second_answers(stage: Stage, times: int) -> None:
    """Ask twice on one connection of a meeting server that gives two answers to each."""

    async def ask() -> None:
        client = await connect(stage)
        try:
            for _ in range(2):
                client.send(b"GET /two-answers HTTP/1.1\r\nHost: a\r\n\r\n")
                status, _ = await client.answer()
                stage.saw(status)
                stage.expect(await client.reader.readexactly(6) == b"hello\n", "another answer than the first")
        finally:
            client.writer.transport.abort()

    await each_of(times, ask)
    stage.only("200")


async def endless_interim(stage: Stage, times: int) -> None:
    """Ask a meeting server that answers 103 again and again, and another that answers nothing."""
    paths = iter((b"/interim", b"/silent") * times)

    async def ask() -> None:
        stage.saw((await _ask(stage, _get(next(paths))))[0])

    await each_of(times, ask)
    stage.only("504")


async def _until_back(stage: Stage) -> None:
    async def answers() -> bool:
        return (await _ask(stage, _get(b"/hello")))[0] == "200"

    await until_true(answers)


async def gone(stage: Stage, times: int) -> None:
    """Let the meeting server refuse connections, and take them again."""
    stage.server.tell("deaf")
    await stage.server.line()

    async def ask() -> None:
        stage.saw((await _ask(stage, _get(b"/hello?never-pooled")))[0])

    await _exhaust_pool(stage)
    await each_of(times, ask)
    stage.only("502")
    stage.server.tell("listen 127.0.0.1")
    await stage.server.line()
    await _until_back(stage)
    stage.saw("200 once it is back")


async def _exhaust_pool(stage: Stage) -> None:
    """Use up the connections that the gate has kept, which a server that refuses new ones still answers on."""

    async def is_refused() -> bool:
        return (await _ask(stage, _get(b"/closes")))[0] == "502" and (await _ask(stage, _get(b"/hello")))[0] == "502"

    await until_true(is_refused)


HOSTS: Final = "hosts"


def name_the_server(folder: Folder) -> None:
    """Give the meeting server a name, in a hosts file of this gate's own."""
    (folder.path / HOSTS).write_text("127.0.0.1 localhost meeting.test\n")
    text = folder.settings.read_text().replace('url = "http://127.0.0.1:', 'url = "http://meeting.test:')
    folder.settings.write_text(text)
    under = folder.path / "under"
    under.write_text(f'#!/bin/sh\nmount --bind {folder.path / HOSTS} /etc/hosts && exec "$@"\n')
    under.chmod(0o700)


def no_namespaces() -> str | None:
    """Say what is missing."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return "unshare is not here"
    done = subprocess.run(
        [unshare, "-rm", "mount", "--bind", "/etc/hosts", "/etc/hosts"], check=False, capture_output=True
    )
    return "this machine allows no mount namespace" if done.returncode else None


async def moved(stage: Stage, times: int) -> None:
    """Let the meeting server's name point elsewhere, there and back."""
    hosts: Path = stage.gate.folder.path / HOSTS
    for number in range(times):
        address = ("127.0.0.2", "127.0.0.1")[number % 2]
        for command in ("deaf", f"listen {address}"):
            stage.server.tell(command)
            await stage.server.line()
        with hosts.open("r+") as file:  # in its place: the gate's namespace holds this very file
            file.truncate()
            file.write(f"127.0.0.1 localhost\n{address} meeting.test\n")
        await _until_back(stage)
        stage.saw("answered from the new address")
    stage.server.tell("deaf")
    await stage.server.line()
    stage.server.tell("listen 127.0.0.1")
    await stage.server.line()
    with hosts.open("r+") as file:
        file.truncate()
        file.write("127.0.0.1 localhost meeting.test\n")
    await _until_back(stage)


UPSTREAM: Final = (
    Scenario(
        "answers that are none: closed, reset in the head, no HTTP, two lengths, a head of a megabyte",
        "502 with a reason; the gate keeps no such connection",
        no_answers,
        50,
        2000,
    ),
    Scenario(
        "bodies that end early: reset, reset in a chunk, silence for `upstream.response_timeout`",
        "the connection ends before the body does, so that the client can see it",
        cut_bodies,
        30,
        1000,
        upstream="response_timeout = 1.0\n",
    ),
    Scenario(
        "WebSockets reset in a frame and between two",
        "the client's stream ends there, and the gate adds nothing",
        cut_frames,
        50,
        2000,
    ),
    Scenario("a 101 that does not answer the handshake", "502, and nothing behind it is relayed", no_tunnels, 50, 2000),
    Scenario(
        "two answers to one request",
        "the first is relayed, the second reaches nobody, whoever asks next",
        second_answers,
        50,
        2000,
    ),
    Scenario(
        "no answer, and interim answers without end",
        "504 after `upstream.response_timeout`",
        endless_interim,
        50,
        2000,
        upstream="response_timeout = 1.0\n",
    ),
    Scenario(
        "the meeting server refuses connections, and comes back",
        "502 meanwhile, whoever is inside stays, 200 afterwards",
        gone,
        50,
        2000,
    ),
    Scenario(
        "the address behind the meeting server's name changes",
        "new requests go to the new address without a reload; whoever is inside stays",
        moved,
        2,
        20,
        prepare=name_the_server,
        under=("unshare", "-rm", "FOLDER/under"),
        unmet=no_namespaces,
    ),
)
