"""What all fuzzers share: how one is found, fed and stopped."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from pathlib import Path

from tests.fuzz.mutation import mutated

CORPUS = Path(__file__).parent / "corpus"
NAMES = ("heads", "proxy_headers", "websocket", "janus", "xmpp", "rules", "configuration", "ledger")
"""Each is a module in `targets/` and a folder in `corpus/`."""


class Finding(Exception):  # noqa: N818 - it is what is looked for
    """An input that breaks an invariant; the cause says how.

    Attributes:
        number: of the input; with the seed, it gives the input again.
        data: the input.
    """

    def __init__(self, number: int, data: bytes) -> None:
        super().__init__(number, data)
        self.number = number
        self.data = data


@dataclass(frozen=True, slots=True)
class Fuzzer:
    """One of NAMES.

    Attributes:
        check: raises where the invariant does not hold.
        tokens: what its inputs are made of, beside the corpus.
        corpus: inputs to begin with, by the names of their files.
    """

    name: str
    check: Callable[[bytes], object]
    tokens: tuple[bytes, ...]
    corpus: tuple[bytes, ...]

    def draw(self, seed: int, number: int) -> bytes:
        """Return an input: first the corpus as it is, then what comes of it."""
        if number < len(self.corpus):
            return self.corpus[number]
        return mutated(random.Random(f"{self.name} {seed} {number}"), self.corpus, self.tokens)


def load(name: str) -> Fuzzer:
    """Return a fuzzer; what it tests is imported now and not before."""
    target = import_module(f"tests.fuzz.targets.{name}")
    corpus = tuple(file.read_bytes() for file in sorted((CORPUS / name).iterdir()))
    return Fuzzer(name, target.check, target.TOKENS, corpus)


def run(fuzzer: Fuzzer, seed: int, *, while_: Callable[[], bool]) -> int:
    """Check inputs for as long as `while_` says so; return how many.

    Raises:
        Finding: the invariant does not hold for one of them.
    """
    for number in count():
        if not while_():
            return number
        data = fuzzer.draw(seed, number)
        try:
            fuzzer.check(data)
        except Exception as error:
            raise Finding(number, data) from error
    raise AssertionError
