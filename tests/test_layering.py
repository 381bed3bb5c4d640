"""The package keeps its own rules, and the checker of `layering.py` would say so if it did not."""

import pytest

from tests.layering import BELOW, EDGES, MAX_CORE_FUNCTION, MAX_FILE, check
from tests.vocabulary import read_package


def test_the_package_keeps_its_layers_and_sizes() -> None:
    sources = read_package()
    assert {"core/model.py", "core/decision.py", "__init__.py"} <= sources.keys()
    assert check(sources) == []


def test_the_table_is_a_way_down() -> None:
    """No part may reach itself through others."""
    for part in BELOW:
        reached, frontier = set[str](), set(BELOW[part])
        while frontier:
            reached |= frontier
            frontier = {below for one in frontier for below in BELOW[one]} - reached
        assert part not in reached
    assert all(not BELOW[edge] & (EDGES | {"settings", "app"}) for edge in EDGES)


LONG_FUNCTION = "def f():\n" + "    pass\n" * (MAX_CORE_FUNCTION - 1)
LONG_FILE = "x = 1\n" * MAX_FILE


@pytest.mark.parametrize(
    ("path", "source", "violation"),
    [
        ("core/a.py", "import joingate.codecs.http1", "1: core imports codecs"),
        ("core/a.py", "from joingate.codecs import http1", "1: core imports codecs"),
        ("core/a.py", "from joingate import codecs", "1: core imports codecs"),
        ("core/a.py", "from ..codecs import http1", "1: core imports codecs"),
        ("core/a.py", "from .. import gate", "1: core imports gate"),
        ("core/a.py", "from joingate.settings import Settings", "1: core imports settings"),
        ("codecs/a.py", "from joingate.gate.gate import Gate", "1: codecs imports gate"),
        ("codecs/deep/a.py", "from ...gate.gate import Gate", "1: codecs imports gate"),
        ("codecs/a.py", "from joingate.settings import Settings", "1: codecs imports settings"),
        ("gate/a.py", "from joingate.geodb.sealed import seal", "1: gate imports geodb"),
        ("gate/a.py", "from joingate.settings import Settings", "1: gate imports settings"),
        ("gate/a.py", "from joingate.app import run", "1: gate imports app"),
        ("admin/a.py", "from joingate.gate.gate import Gate", "1: admin imports gate"),
        ("workers/a.py", "from joingate.gate.gate import Gate", "1: workers imports gate"),
        ("ledger.py", "import joingate.geodb", "1: ledger imports geodb"),
        ("settings.py", "import joingate.gate", "1: settings imports gate"),
        ("settings.py", "import joingate.app", "1: settings imports app"),
        ("loading.py", "from joingate.reload import Reloader", "1: loading imports reload"),
        ("reload.py", "import joingate.app", "1: reload imports app"),
        ("app.py", "import joingate.cli", "1: app imports cli"),
        ("app.py", "import joingate.demo", "1: app imports demo"),
        ("demo/a.py", "import joingate.cli", "1: demo imports cli"),
        ("__init__.py", "from joingate.core import model", "1: __init__ imports core"),
        ("gate/a.py", "def f():\n    import joingate.admin", "2: gate imports admin"),
        ("gate/a.py", "if TYPE_CHECKING:\n    from joingate.app import App", "2: gate imports app"),
        ("utils/a.py", "", "1: utils has no place among the layers; give it one in tests/layering.py"),
        ("core/a.py", "import pydantic", "1: core imports pydantic, which is not in the standard library"),
        ("core/a.py", "from orjson import dumps", "1: core imports orjson, which is not in the standard library"),
        *(
            ("core/a.py", f"import {module}", f"1: core imports {module}")
            for module in ("asyncio", "time", "logging", "os", "io", "socket", "threading", "random", "secrets", "sys")
        ),
        ("core/a.py", "from os import path", "1: core imports os"),
        ("core/a.py", "import os.path", "1: core imports os.path"),
        ("core/a.py", "from time import time", "1: core imports time"),
        ("core/a.py", "from pathlib import Path", "1: core imports pathlib"),
        ("core/a.py", "from urllib import request", "1: core imports urllib.request"),
        ("core/a.py", "open('x')", "1: calls open()"),
        ("core/a.py", "print('x')", "1: calls print()"),
        ("core/a.py", "__import__('os')", "1: calls __import__()"),
        ("core/a.py", "datetime.now()", "1: calls .now()"),
        ("core/a.py", "date.today()", "1: calls .today()"),
        ("core/a.py", "async def f(): ...", "1: f waits; core decides in a plain def"),
        ("core/a.py", LONG_FUNCTION + "    pass\n", f"1: f is longer than {MAX_CORE_FUNCTION} lines"),
        *(
            ("codecs/a.py", f"import {module}", f"1: codecs imports {module}")
            for module in ("asyncio", "socket", "os", "time", "logging", "ssl", "random", "aiohttp", "uvloop")
        ),
        ("codecs/a.py", "from asyncio import sleep", "1: codecs imports asyncio"),
        ("codecs/a.py", "open('x')", "1: calls open()"),
        ("codecs/a.py", "Path('x').read_text()", "1: calls .read_text()"),
        ("codecs/a.py", "path.open()", "1: calls .open()"),
        ("codecs/a.py", "datetime.now(UTC)", "1: calls .now()"),
        ("gate/a.py", LONG_FILE + "y = 2\n", f"{MAX_FILE + 1}: longer than {MAX_FILE} lines"),
    ],
)
def test_a_violation_is_found(path: str, source: str, violation: str) -> None:
    assert check({path: source}) == [f"{path}:{violation}"]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("core/a.py", "import re\nimport hashlib\nfrom joingate.core.model import Join\nfrom . import model"),
        ("core/a.py", LONG_FUNCTION),
        ("core/a.py", "from urllib.parse import quote\ndef f(now): return now"),
        (
            "codecs/a.py",
            "import orjson\nimport pydantic\nfrom pathlib import Path\nfrom joingate.core.rules import Order",
        ),
        ("gate/a.py", "import asyncio, time, os\nfrom joingate.codecs import http1\nfrom joingate.gate import gate"),
        ("gate/a.py", "from joingate import __version__"),
        ("gate/a.py", LONG_FILE),
        ("settings.py", "import os\nfrom joingate.codecs import endpoint"),
        ("app.py", "from joingate.gate.gate import Gate\nfrom joingate.geodb import sealed\nimport joingate.settings"),
        (
            "cli/serve.py",
            "from joingate.app import run\nfrom joingate.demo import table\nfrom joingate import settings",
        ),
        ("__main__.py", "from joingate.cli import main"),
        ("__init__.py", "__version__ = '1'"),
    ],
)
def test_what_is_allowed_is_let_be(path: str, source: str) -> None:
    assert check({path: source}) == []
