"""A configuration is refused in single lines, each with its place, or read; nothing else is raised."""

from collections.abc import Sequence
from pathlib import Path

from joingate.codecs.config_keys import FileFacts, Reading
from joingate.codecs.configfile import parse_settings
from joingate.core.errors import RefusedInputError
from tests.fuzz.refusals import are_lines

TOKENS = (
    *(
        b"[gate]\n",
        b"[upstream]\n",
        b"[upstream.admin]\n",
        b"[[join]]\n",
        b"[geodb]\n",
        b"[rules]\n",
        b"[admin]\n",
        b"[ledger]\n",
    ),
    *(
        b'listen = "unix:/a"\n',
        b'"[::1]:80"',
        b'"http://a/"',
        b"inf",
        b"nan",
        b"-1",
        b"true",
        b'"\\u0000"',
        b'"{meeting}"',
    ),
    *(
        b'"10.0.0.0/8"',
        b'"unix:"',
        b'"query:a"',
        b'"jwt:a"',
        b'"path:a"',
        b"[]",
        b"{}",
        b'""',
        b"'''",
        b"\\ud800",
        b"1_0",
        b"0x1",
    ),
)
_READING = Reading(Path("/etc/joingate"), lambda _: FileFacts(None, 0o600))


def check(data: bytes) -> None:
    """Read the input as joingate.toml, and its values as an environment as well."""
    listed = data.decode("utf-8", "surrogateescape").replace("\0", "").splitlines()
    for environ in ({}, {"JOINGATE_GATE__LISTEN": listed[0], "JOINGATE_UPSTREAM__URL": listed[-1]} if listed else {}):
        try:
            parse_settings(data, environ, "joingate.toml", _READING)
        except RefusedInputError as refused:
            are_lines(refused.problems)
            _have_places(refused.problems)


def _have_places(problems: Sequence[str]) -> None:
    for problem in problems:
        assert problem.startswith(("joingate.toml:", "JOINGATE_")), "a problem without a place"
