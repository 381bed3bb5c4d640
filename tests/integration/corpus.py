"""Everything that is generated against the gate's reading of requests, in one run of as many inputs as are wanted.

A request that is smuggled or split, a join that nobody has judged, a client who chooses where they are: none may be
found. Most inputs take place on paper, in this process; some go through serving gates to five real servers besides.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from joingate.codecs.join_request import JoinMatcher
from joingate.core.model import Address, Location
from joingate.core.rule_set import RuleSet
from joingate.gate.gate import Gate
from joingate.gate.options import GateOptions
from joingate.geodb.build import build
from tests.codecs import test_join_spellings as spellings
from tests.core import test_client_address_second_reading as addresses
from tests.core.made import order
from tests.edges.gate_fixture import ROUTE
from tests.fuzz.targets.heads import Forgetful, Request, forwarded, strictly
from tests.integration.framing_drawn import drawn
from tests.integration.framing_rows import END, HIDDEN_TARGET
from tests.integration.framing_stand import compare, standing

DATABASE: Final = Path(__file__).parents[2] / "geodb" / "demo.csv"
SHARE_OF_SERVERS: Final = 200
"""One of so many inputs goes to real servers: it costs a tenth of a second, and on paper a thousandth of that."""


@dataclass(frozen=True, slots=True)
class Property:
    """One that Hypothesis draws inputs for: the test that states it, and what it is drawn from."""

    name: str
    found: str
    weight: int
    test: Any
    drawn_from: dict[str, st.SearchStrategy[Any]]


_TRUST = st.lists(st.sampled_from(addresses.TRUST_POOL), max_size=3)

PROPERTIES: Final = (
    Property(
        "joins in another spelling",
        "joins unjudged",
        2,
        spellings.test_no_spelling_of_a_join_is_unjudged,
        {"spelling": spellings.spellings()},
    ),
    Property(
        "paths as other software reads them",
        "joins unjudged",
        2,
        spellings.test_whoever_would_route_it_to_a_join_finds_it_judged,
        {"path": spellings.disturbed()},
    ),
    Property(
        "X-Forwarded-For, read twice",
        "locations spoofed",
        1,
        addresses.test_x_forwarded_for_agrees_with_a_second_reading,
        {"values": addresses.headers(addresses.entries()), "trusted": _TRUST},
    ),
    Property(
        "Forwarded, read twice",
        "locations spoofed",
        1,
        addresses.test_forwarded_agrees_with_a_second_reading,
        {"values": addresses.headers(addresses.forwarded_elements()), "trusted": _TRUST},
    ),
    Property(
        "what clients write before their own address",
        "locations spoofed",
        1,
        addresses.test_what_the_client_writes_itself_never_counts,
        {
            "forged": st.lists(addresses.entries(), max_size=5),
            "client": st.ip_addresses(v=4).filter(lambda address: address != addresses.PROXY),
        },
    ),
)
FRAMING_WEIGHT: Final = 14
_WEIGHTS: Final = FRAMING_WEIGHT + sum(each.weight for each in PROPERTIES)


class FoundError(Exception):
    """Something that must not be; its cause says what."""


def hold(each: Property, inputs: int, number: int) -> int:
    """Draw inputs for a property; return how many there were.

    Raises:
        FoundError: it does not hold.
    """
    count = 0
    test = each.test.hypothesis.inner_test  # which Hypothesis keeps there for runners of one's own

    def counted(**drawn_values: object) -> None:
        nonlocal count
        count += 1
        test(**drawn_values)

    counted.__name__ = counted.__qualname__ = each.test.__name__
    limits = settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=tuple(HealthCheck),
    )
    try:
        seed(number)(limits(given(**each.drawn_from)(counted)))()
    except Exception as error:
        raise FoundError(each.name) from error
    return count


def framing(inputs: int, chance: random.Random) -> tuple[int, int]:
    """Draw requests on paper; return how many requests went on, and how many inputs had one that did not.

    What goes on is read by the grammar alone and by h11, and has to be the one request that was judged.

    Raises:
        FoundError: it is another, or more than one, or a join that the order forbids.
    """
    gate = _paper_gate()
    went_on = kept_back = 0
    for _ in range(inputs):
        payload = drawn(chance)
        count = 0
        try:
            for judged, sent, is_whole in forwarded(gate, payload + END):
                _check(judged, sent, is_whole=is_whole)
                count += is_whole
        except Exception as error:
            raise FoundError(f"framing: {payload!r}") from error
        went_on += count
        kept_back += count < 2  # the request drawn, and END
    return went_on, kept_back


def _check(judged: tuple[bytes, bytes], sent: bytes, *, is_whole: bool) -> None:
    by_grammar = strictly(sent)
    by_h11 = read_by_h11(sent)
    assert (by_grammar is not None) == is_whole, "a body ends elsewhere than it did"
    assert by_grammar == by_h11, "two readers read two requests"
    if by_grammar is not None:
        assert (by_grammar.method, by_grammar.target) == judged, "another request than the one judged"
        assert by_grammar.target != HIDDEN_TARGET.encode(), "a join that nobody has judged"


def read_by_h11(sent: bytes) -> Request | None:
    """Read bytes as one request; None where it is the beginning of one."""
    import h11  # here, so that tests are found without it

    reader = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    reader.receive_data(sent)
    request, body = reader.next_event(), b""
    if not isinstance(request, h11.Request):
        return None
    while isinstance(event := reader.next_event(), h11.Data):
        body += event.data
    if not isinstance(event, h11.EndOfMessage):
        return None
    assert reader.trailing_data[0] == b"", "something follows the request"
    return Request(request.method, request.target, body)


def _paper_gate() -> Gate:
    def locate(address: Address | None, now: float) -> Location:  # noqa: ARG001 - a Locate's signature
        return Location("CN")

    rules = RuleSet((order("o-1", meetings=("smuggled",)),))
    return Gate(GateOptions(), JoinMatcher([ROUTE], fold=str), rules, locate, Forgetful(), now=lambda: 50.0)


async def framing_by_servers(inputs: int, chance: random.Random) -> tuple[int, int]:
    """Send drawn requests to five servers, each behind a gate; return how many went on, and how many did not.

    Raises:
        FoundError: two of them have read them otherwise, or one has seen what was not judged.
    """
    went_on = kept_back = 0
    with tempfile.TemporaryDirectory() as folder:
        build(DATABASE, Path(folder) / "geo.mmdb")
        try:
            async with standing(Path(folder), Path(folder) / "geo.mmdb") as stands:
                for _ in range(inputs):
                    more, less = await compare(stands, chance)
                    went_on += more
                    kept_back += less
        except AssertionError as error:
            raise FoundError("five servers") from error
    return went_on, kept_back


async def run(inputs: int, number: int, servers: int) -> AsyncIterator[str]:
    """Go through everything, and yield a line for each kind of which there is nothing else to tell.

    Args:
        inputs: of all kinds together, at least; some for real servers come on top.
        number: the seed.
        servers: inputs for real servers.

    Raises:
        FoundError: something was found.
    """
    share = -(-inputs // _WEIGHTS)
    went_on, kept_back = framing(share * FRAMING_WEIGHT, random.Random(number))
    yield (
        f"framing: {share * FRAMING_WEIGHT} inputs, {went_on} requests went on, {kept_back} inputs were kept back in "
        "part or whole; 0 smuggled or split, 0 joins unjudged"
    )
    if servers:
        went_on, kept_back = await framing_by_servers(servers, random.Random(number))
        yield (
            f"framing by five servers: {servers} inputs, {went_on} requests went on, {kept_back} did not; "
            "0 read otherwise by one of them"
        )
    for each in PROPERTIES:
        yield f"{each.name}: {hold(each, share * each.weight, number)} inputs; 0 {each.found}"


async def _tell(inputs: int, number: int, servers: int) -> int:
    try:
        async for line in run(inputs, number, servers):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    except FoundError as error:
        notes = getattr(error.__cause__, "__notes__", ())  # where Hypothesis puts the input
        sys.stdout.write("\n".join((f"{error}: {error.__cause__!r}", *notes, "")))
        return 1
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.corpus", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="of all kinds together (100000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other inputs (0)")
    parser.add_argument(
        "--servers", type=int, help=f"inputs for real servers, 0 for none (INPUTS / {SHARE_OF_SERVERS})"
    )
    chosen = parser.parse_args(arguments)
    servers = chosen.inputs // SHARE_OF_SERVERS if chosen.servers is None else chosen.servers
    return asyncio.run(_tell(chosen.inputs, chosen.seed, servers))


if __name__ == "__main__":
    sys.exit(main())
