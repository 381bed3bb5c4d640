"""The page on adding a meeting server: its example works, and it leaves nothing of the interface out."""

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from joingate.codecs import dialect as contract
from joingate.codecs.dialect import Dialect, Enters, Leaves, Refusal, UnreadableError
from joingate.codecs.http1 import RequestHead, ResponseHead
from joingate.core.model import Join
from joingate.servers import admin_client

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/adding-a-meeting-server.md").read_text("utf-8")
(EXAMPLE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
WHY = Refusal(451, "legal order o-1")


@pytest.fixture
def plain() -> Dialect:
    module = ModuleType("plain")
    exec(compile(EXAMPLE, "plain.py", "exec"), module.__dict__)  # noqa: S102 - this repository's own page
    made: Dialect = module.__dict__["Plain"]()
    return made


def test_the_example_is_small() -> None:
    assert len(EXAMPLE.splitlines()) < 80


def test_the_example_is_a_dialect(plain: Dialect) -> None:
    head = RequestHead(b"POST", b"/talk", "1.1", [])
    conversation = plain.conversation(b"/talk", [])
    assert conversation is not None
    assert conversation.from_client(b'{"join":"m","as":"anna"}') == Enters(Join("m", "anna"))
    assert conversation.from_client(b'{"leave":"m"}') == Leaves("m")
    assert conversation.from_client(b'{"say":"hello"}') is None
    for message in (b"{", b'{"join":"m"}', b'{"join":7,"as":"anna"}'):
        with pytest.raises(UnreadableError):
            conversation.from_client(message)
    assert conversation.from_server(b"{}") is None
    assert conversation.refusal(b"", WHY) == conversation.farewell(Join("m"), WHY) == (b'{"error":"legal order o-1"}',)
    assert (conversation.tokens, conversation.hears_server) == (set(), False)
    assert (plain.name, plain.routes, plain.keeps_after_close, plain.fold("M")) == ("plain", (), 0, "M")
    assert (plain.reads_body(head), plain.polled(head, b""), plain.poll_refusal(head, b"", WHY)) == (
        False,
        ("", None),
        None,
    )
    assert plain.left_by(Join("m"), ResponseHead(200, b"OK", [], 0)) is None


@pytest.mark.parametrize(
    "protocol", [contract.Dialect, contract.Conversation, admin_client.AdminClient], ids=lambda each: str(each.__name__)
)
def test_every_member_of_the_interface_is_on_the_page(protocol: type) -> None:
    members = {*inspect.get_annotations(protocol), *vars(protocol)}
    public = {name for name in members if not name.startswith("_")}
    assert public
    assert {name for name in public if not re.search(rf"`{name}\b", PAGE)} == set()


def test_every_file_on_the_page_exists() -> None:
    named = set(re.findall(r"`((?:src/joingate/|codecs/|servers/|tests/)[\w/.]*)`", PAGE)) - {"codecs/plain.py"}
    assert {"codecs/dialect.py", "tests/test_adapters_subtract.py"} <= named
    missing = {name for name in named if not (ROOT / name).exists() and not (ROOT / "src/joingate" / name).exists()}
    assert missing == set()
