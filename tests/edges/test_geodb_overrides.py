from pathlib import Path

import pytest

from joingate.core.client_address import parse_address
from joingate.core.errors import RefusedInputError
from joingate.core.model import UNKNOWN, Cause, Location
from joingate.geodb.overrides import Overrides, load_overrides
from tests.conftest import TABLES


def _load(tmp_path: Path, text: str) -> Overrides:
    path = tmp_path / "overrides.toml"
    path.write_text(text, encoding="utf-8")
    return load_overrides(path)


def _get(overrides: Overrides, text: str) -> Location | None:
    address = parse_address(text)
    assert address is not None
    return overrides.get(address)


NESTED = """
[networks]
"10.0.0.0/8" = "DE"
"10.1.0.0/16" = "UA"
"10.1.2.0/24" = "UA-43"
"10.1.2.3/32" = "unknown"
"2001:db8::/32" = "FR"
"2001:db8:8000::/33" = "CH"
"""


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("10.2.0.1", Location("DE")),
        ("10.1.0.1", Location("UA")),
        ("10.1.2.1", Location("UA", "UA-43")),
        ("10.1.2.3", UNKNOWN[Cause.COUNTRY_MISSING]),
        ("10.1.2.4", Location("UA", "UA-43")),
        ("10.255.255.255", Location("DE")),
        ("11.0.0.0", None),
        ("9.255.255.255", None),
        ("2001:db8::1", Location("FR")),
        ("2001:db8:8000::", Location("CH")),
        ("2001:db9::", None),
        ("::a01:203", None),  # the number of 10.1.2.3, in the other IP version
    ],
)
def test_the_longest_prefix_wins(tmp_path: Path, address: str, location: Location | None) -> None:
    assert _get(_load(tmp_path, NESTED), address) == location


def test_what_they_name(tmp_path: Path) -> None:
    overrides = _load(tmp_path, NESTED)
    assert overrides.codes == {"DE", "UA", "UA-43", "FR", "CH"}
    assert len(overrides) == 6


def test_the_whole_of_an_ip_version(tmp_path: Path) -> None:
    assert _get(_load(tmp_path, '[networks]\n"0.0.0.0/0" = "DE"'), "203.0.113.1") == Location("DE")


@pytest.mark.parametrize("text", ["", "[networks]"])
def test_none(tmp_path: Path, text: str) -> None:
    overrides = _load(tmp_path, text)
    assert not overrides
    assert _get(overrides, "10.0.0.1") is None


def test_the_file_that_is_shipped() -> None:
    assert not load_overrides(TABLES / "overrides.toml")


_PLACE = 'write a country such as "DE", a part of one such as "UA-43", or "unknown"'


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("network = 1", ["network: unknown key; the only table is [networks]"]),
        (
            'networks = "DE"',
            ['networks: not a table; write [networks] and under it "203.0.113.0/24" = "DE"'],
        ),
        (
            '[networks]\n"10.0.0.0/8" = 49',
            [f"networks.10.0.0.0/8: 49 is not a code in quotes; {_PLACE}"],
        ),
        (
            '[networks]\n"10.0.0.0/8" = "EU"',
            [f'networks.10.0.0.0/8: "EU" is a group, and a network lies in one place; {_PLACE}'],
        ),
        (
            '[networks]\n"10.0.0.0/8" = "CN-HK"',
            ['networks.10.0.0.0/8: "CN-HK" has a country code of its own; write "HK"'],
        ),
        (
            '[networks]\n"10.0.0.0/8" = "UK"\n"10.0.0.1/8" = "DE"',
            [
                'networks.10.0.0.0/8: "UK" is not an ISO 3166 code; write "GB"',
                (
                    'networks.10.0.0.1/8: "10.0.0.1/8" has bits set beyond its prefix; '
                    'write "10.0.0.0/8", or "10.0.0.1" alone'
                ),
            ],
        ),
        (
            '[networks]\n"2001:db8::/32" = "DE"\n"2001:DB8::/32" = "FR"',
            ['networks.2001:DB8::/32: the same network as another key; keep one, "2001:db8::/32"'],
        ),
    ],
)
def test_every_problem_by_key(tmp_path: Path, text: str, problems: list[str]) -> None:
    with pytest.raises(RefusedInputError) as refusal:
        _load(tmp_path, text)
    assert refusal.value.problems == tuple(f"{tmp_path}/overrides.toml: {problem}" for problem in problems)


def test_not_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(RefusedInputError, match=r"overrides\.toml: not TOML: .*line 2.*; write lines such as"):
        _load(tmp_path, '[networks]\n"10.0.0.0/8" = DE\n')


def test_not_text(tmp_path: Path) -> None:
    path = tmp_path / "overrides.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RefusedInputError, match="not TOML"):
        load_overrides(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RefusedInputError) as refusal:
        load_overrides(tmp_path / "none.toml")
    assert str(refusal.value) == (
        f"{tmp_path}/none.toml: cannot be read (No such file or directory); "
        "correct [geodb] overrides or remove that key"
    )
