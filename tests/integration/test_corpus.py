"""The corpus in small, as `python -m tests.integration.corpus` runs it; and a fault of each kind, which it finds."""

import random
import re
import subprocess
import sys
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

import pytest

from joingate.core.model import Address
from tests.core import test_client_address_second_reading as addresses
from tests.core.made import order
from tests.edges.served import environment
from tests.integration import corpus

pytestmark = pytest.mark.integration


def test_a_small_run_has_nothing_to_tell() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.integration.corpus", "--inputs", "420", "--servers", "5"],
        cwd=corpus.DATABASE.parents[1],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    lines = ended.stdout.splitlines()
    counts = [int(found[1]) for line in lines if (found := re.search(r": (\d+) inputs", line))]
    assert len(counts) == len(lines) == len(corpus.PROPERTIES) + 2
    assert sum(counts) >= 420 + 5
    assert all(re.search(r"; 0 \w", line) for line in lines)


def _leftmost(peer: Address, values: list[str], *_: object) -> Address | None:
    """Believe the client's end of the list."""
    elements = [element.strip() for value in values for element in value.split(",")]
    return addresses.plain_address(elements[0]) if elements else peer


# The kind, where the fault is, and what it makes of what is there.
FAULTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a length twice": (
        "joingate.gate.exchange.build_request",
        lambda was: lambda head, *rest: was(head, *rest).replace(b"\r\n", b"\r\nContent-Length: 5\r\n", 1),
    ),
    "a request behind another": (
        "joingate.gate.exchange.build_request",
        lambda was: lambda head, *rest: was(head, *rest) + b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    "a join that is not judged": ("tests.integration.corpus.order", lambda _: lambda *_, **__: order(meetings=("x",))),
    "joins in another spelling": (
        "joingate.codecs.join_request.JoinMatcher.match",
        lambda was: (
            lambda self, method, target, headers: None if b"%" in target else was(self, method, target, headers)
        ),
    ),
    "paths as other software reads them": (
        "joingate.codecs.join_request.JoinMatcher.match",
        lambda was: (
            lambda self, method, target, headers: None if b";" in target else was(self, method, target, headers)
        ),
    ),
    "X-Forwarded-For, read twice": (
        "tests.core.test_client_address_second_reading.resolve_client",
        lambda _: lambda peer, *_: peer,
    ),
    "Forwarded, read twice": (
        "tests.core.test_client_address_second_reading.resolve_client",
        lambda _: lambda peer, *_: peer,
    ),
    "what clients write before their own address": (
        "tests.core.test_client_address_second_reading.resolve_client",
        lambda _: _leftmost,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path, make = FAULTS[fault]
    monkeypatch.setattr(path, make(resolve_name(path)))
    with pytest.raises(corpus.FoundError):
        hunt(fault)


def hunt(kind: str) -> None:
    for each in corpus.PROPERTIES:
        if each.name == kind:
            corpus.hold(each, 300, 1)
            return
    corpus.framing(300, random.Random(1))
