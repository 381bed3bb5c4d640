"""The matcher beside a real server's router: what aiohttp takes for a join, the matcher has judged, as the same."""

import asyncio
import random
from urllib.parse import quote

import orjson
from aiohttp import web

from joingate.codecs.join_request import AmbiguousRequestError, JoinMatcher
from joingate.codecs.join_route import JoinRoute, Source
from joingate.core.model import Join

MEETING = Source("path", "meeting")
MATCHER = JoinMatcher(
    [
        JoinRoute("/meetings/{meeting}/join", MEETING, Source("query", "user"), None),
        JoinRoute("/join", Source("query", "room"), Source("query", "user"), None),
    ],
    fold=str,
)

MEETINGS = ["m1", "my room", "a/b", "Räume", "100%", "a+b", "a;b", "a?b", "a%2Fb", "会议（一）", ".", "a\\b"]  # noqa: RUF001 - an id
GAPS = ["/"] * 24 + ["//", "/./", "/x/../", "/%2e/", "/x/%2E%2e/", "/x/..;/", "\\", "%2F", "%5C", ";p/"]
ENDS = ["", "", "", "/", ";p", "%00", "%20", "#f", "%3Fx", "/x/..", "%252f", "?", "?user=u", "?user=%75", "?user=a;b"]
QUERIES = [
    *(
        "room=m1",
        "room=my+room",
        "room=my%20room",
        "room=a&room=b",
        "room=a;room=b",
        "x=1;room=a",
        "%72oom=a",
        "Room=a",
    ),
    *("room=a&Room=b", "room=%2561", "room=%ff", "room=%", "room=a%zz", "room[]=a", "room=a&room[]=b", "room=a%26b"),
    *("room=", "room", "&room=a&", "room=a=b", "room=a#&room=b", "?room=a", "room=a%00", "room=a+b&user=c+d"),
    *("room=%E4%BC%9A&user=u", "r%6Fom=a&user", "room=a&user=b&user=c", "amp;room=a", "room=a%2Bb", "room=%2B"),
    *("+room=a", "room=a&%2572oom=b", "room=%C0%AF", "room=a&x;y=1", "room=%u0061", "room=a&user=%26room=b"),
]


def spellings(count: int) -> list[bytes]:
    """Write joins in ways drawn from a fixed seed, so that a failure can be repeated."""
    chance = random.Random(451)
    found = [f"/join?{query}" for query in QUERIES] + [f"/j%6Fin/?{query}" for query in QUERIES]
    found += [f"/meetings/{quote(meeting, safe='')}/join" for meeting in MEETINGS]
    while len(found) < count:
        meeting = chance.choice(MEETINGS)
        parts = [chance.choice(GAPS)]
        for text in ("meetings", meeting, "join"):
            parts += [_spelled(text, chance), chance.choice(GAPS)]
        path = "".join(parts[:-1]) + chance.choice(ENDS)
        found.append(path if path.startswith("/") else "/" + path)
    return [target.encode() for target in found]


def _spelled(text: str, chance: random.Random) -> str:
    if chance.random() < 0.4:
        return quote(text, safe=chance.choice(["", "+;", "~()"]))
    written = "".join(f"%{ord(char):02X}" if char.isascii() and chance.random() < 0.3 else quote(char) for char in text)
    return quote(written) if chance.random() < 0.1 else written


async def _answer(request: web.Request) -> web.Response:
    meeting = request.match_info.get("meeting", request.query.get("room"))
    return web.Response(body=orjson.dumps([meeting, request.query.get("user")]), content_type="application/json")


async def _ask(port: int, target: bytes) -> list[str | None] | None:
    """Send `target` as it is; return what the handler saw, or None when it did not run."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    seen: list[str | None] | None = orjson.loads(body) if head.startswith(b"HTTP/1.1 200") else None
    return seen


def _judged(target: bytes) -> Join | str | None:
    try:
        return MATCHER.match(b"GET", target, [])
    except AmbiguousRequestError as error:
        return error.detail


async def test_what_aiohttp_takes_for_a_join_has_been_judged() -> None:
    app = web.Application()
    app.router.add_route("*", "/meetings/{meeting}/join", _answer)
    app.router.add_route("*", "/join", _answer)
    app.router.add_route("*", "/join/", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        ran = agreed = 0
        for target in spellings(500):
            seen = await _ask(port, target)
            judged = _judged(target)
            if seen is None or not seen[0]:  # no handler, or one that learns of no meeting
                continue
            ran += 1
            assert judged is not None, target
            if isinstance(judged, Join):
                agreed += 1
                assert judged.meeting == seen[0], target
                assert judged.participant == (seen[1] or None), target
    finally:
        await runner.cleanup()
    assert ran > 100  # the server did take part
    assert agreed > 50  # and not everything was refused
