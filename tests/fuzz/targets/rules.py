"""A rule file is refused in single lines, or every order in it lies in its authority's territory and has an end."""

from pathlib import Path

from joingate.codecs.rulefile import parse_rules
from joingate.core.errors import RefusedInputError
from joingate.core.rules import Order
from tests.fuzz.refusals import are_lines

TOKENS = (
    *(
        b"[[order]]\n",
        b"[[host_policy]]\n",
        b'territory = ["CN-HK"]\n',
        b'territory = ["CN"]\n',
        b'authority = "cac"\n',
        b'"EU"',
    ),
    *(
        b'meetings = ["*"]\n',
        b"service_wide = true\n",
        b'action = "reject"\n',
        b"2020-06-03T16:00:00Z",
        b"2020-06-03",
        b"inf",
    ),
    *(
        b'"""',
        b"'''",
        b"\\u0000",
        b"\\U0010ffff",
        b"#",
        b"[",
        b"]",
        b"{",
        b"}",
        b"=",
        b".",
        b'"UA-43"',
        b'allow = ["EU+"]\n',
    ),
)
_AUTHORITIES = (Path(__file__).parents[3] / "rules" / "authorities.toml").read_bytes()
_LONGEST = 366 * 86_400


def check(data: bytes) -> None:
    """Read the input as a file beside the authorities, in both notations, and as the authorities."""
    for files in (
        {"authorities.toml": _AUTHORITIES, "orders.toml": data},
        {"authorities.toml": _AUTHORITIES, "orders.json": data},
        {"authorities.toml": data},
    ):
        try:
            rules = parse_rules(files).rules
        except RefusedInputError as refused:
            are_lines(refused.problems)
            continue
        for order in rules:
            if isinstance(order, Order):
                inside = order.authority.territory
                assert all(code in inside or code.partition("-")[0] in inside for code in order.territory), order
                assert order.territory, "an order for nowhere"
                assert 0 < order.closes - order.opens <= _LONGEST, order
