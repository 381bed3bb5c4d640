"""Every fuzzer holds for its corpus and for some hundred inputs more; `make fuzz` goes on from there."""

import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from tests.fuzz.running import NAMES, Finding, load, run

COUNT = 300


@pytest.mark.parametrize("name", NAMES)
async def test_a_fuzzer_finds_nothing(name: str) -> None:
    left = iter(range(COUNT))
    assert run(load(name), 1, while_=lambda: next(left, None) is not None) == COUNT


@pytest.mark.parametrize("name", NAMES)
async def test_the_inputs_are_many_and_come_again(name: str) -> None:
    fuzzer = load(name)
    drawn = [fuzzer.draw(1, number) for number in range(COUNT)]
    assert len(set(drawn)) > COUNT * 0.7
    assert drawn == [load(name).draw(1, number) for number in range(COUNT)]
    assert drawn != [fuzzer.draw(2, number) for number in range(COUNT)]


# A small fault in what each of them tests, which it has to find.
FAULTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "heads": (
        "joingate.gate.exchange.build_request",
        lambda was: lambda head, *rest: was(head, *rest).replace(b"\r\n", b"\r\nContent-Length: 5\r\n", 1),
    ),
    "proxy_headers": (
        "tests.fuzz.targets.proxy_headers.parse_proxy_header",
        lambda was: lambda data: was(data + b"\n" if data.endswith(b"\r") else data),
    ),
    "websocket": (
        "joingate.codecs.websocket_messages.MessageReader.feed",
        lambda was: lambda self, data: was(self, data[:50]),
    ),
    "janus": (
        "joingate.codecs.janus.read_request",
        lambda was: lambda message, *rest: was(message.replace(b"1234", b"1235"), *rest),
    ),
    "xmpp": (
        "joingate.codecs.xmpp.read_element",
        lambda was: lambda message: was(message.replace(b"room@", b"moor@")),
    ),
    "rules": ("joingate.codecs.rulefile.order_problems", lambda _: lambda *_, **__: ()),
    "configuration": ("joingate.codecs.configfile.describe", lambda _: lambda *_: ["two\nlines"]),
    "ledger": ("tests.fuzz.targets.ledger.encode", lambda was: lambda entry: was(entry) + b" "),
}


@pytest.mark.parametrize("name", NAMES)
async def test_a_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzzer = load(name)
    place, broken = FAULTS[name]
    owner, _, attribute = place.rpartition(".")
    monkeypatch.setattr(place, broken(getattr(resolve_name(owner), attribute)))
    left = iter(range(COUNT))
    with pytest.raises(Finding):
        run(fuzzer, 1, while_=lambda: next(left, None) is not None)


async def test_a_finding_gives_the_input_again() -> None:
    def refuse_long(data: bytes) -> None:
        assert len(data) < 2000

    fuzzer = replace(load("ledger"), check=refuse_long, corpus=(b"a", b"b" * 2000))
    with pytest.raises(Finding) as found:
        run(fuzzer, 1, while_=lambda: True)
    assert (found.value.number, found.value.data) == (1, fuzzer.draw(1, 1))


def test_the_command_prints_a_finding_and_fails(tmp_path: Path) -> None:
    broken = tmp_path / "sitecustomize.py"
    broken.write_text("import joingate.codecs.ledger_line as it\nit.encode = lambda entry: b''\n")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--seconds", "60", "ledger"],
        cwd=Path(__file__).parents[1],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    said, data = done.stdout.splitlines()
    assert said.startswith("ledger: seed 0, input 0: AssertionError('there is another spelling')")
    assert b64decode(data).startswith(b'{"seq":')
