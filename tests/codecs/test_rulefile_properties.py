"""What holds of rule files however they are written: any order, any names, any bytes, any territory."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from joingate.codecs.rulefile import parse_rules
from joingate.core.errors import RefusedInputError
from joingate.core.rule_set import RuleSet
from joingate.core.rules import Order
from joingate.core.territory import GROUPS, OWN_COUNTRY_CODE

CODES = ("CN", "HK", "MO", "TW", "CN-GD", "CN-XJ", "UA", "UA-43", "UA-40", "RU", "EU", "EU+", "FR", "RE", "DE")
REFUSED_CODES = ("CN-HK", "CN-MO", "CN-TW", "UK", "cn", "A1", "UA-99")


def rules_of(files: dict[str, bytes]) -> RuleSet | None:
    """Load, or make sure that the refusal is made of single lines."""
    problems: tuple[str, ...] = ()
    try:
        return parse_rules(files)
    except RefusedInputError as refused:
        problems = refused.problems
    assert problems
    assert [line for problem in problems for line in problem.splitlines()] == list(problems)
    return None


def authorities_file(territories: dict[str, list[str]]) -> bytes:
    tables = {
        name: {"name": "Administration", "branch": "regulator", "territory": territory}
        for name, territory in territories.items()
    }
    return json.dumps({"authority": tables}).encode()


def order(rule_id: str, authority: str, territory: list[str] | None) -> dict[str, Any]:
    table = {
        "id": rule_id,
        "authority": authority,
        "meetings": [f"meeting-{rule_id}"],
        "action": "eject",
        "legal_basis": "Law, article 1",
        "reference": "R 1",
        "received": "2020-05-29",
        "from": "2020-06-03T16:00:00Z",
        "until": "2020-06-04T16:00:00Z",
    }
    return table if territory is None else table | {"territory": territory}


def policy(rule_id: str) -> dict[str, Any]:
    return {"id": rule_id, "meetings": ["board-*", rule_id], "allow": ["EU"], "action": "reject"}


@given(data=st.data(), orders=st.integers(0, 4), policies=st.integers(0, 3))
def test_the_revision_depends_on_neither_file_names_nor_order(data: st.DataObject, orders: int, policies: int) -> None:
    rules = [("order", order(f"o-{at}", data.draw(st.sampled_from(("a", "b"))), None)) for at in range(orders)]
    rules += [("host_policy", policy(f"h-{at}")) for at in range(policies)]

    def written() -> dict[str, bytes]:
        names = data.draw(
            st.lists(st.from_regex(r"[a-z]{1,4}\.json", fullmatch=True), min_size=1, max_size=4, unique=True)
        )
        documents: dict[str, dict[str, list[Any]]] = {
            f"rules/{name}": {"order": [], "host_policy": []} for name in names
        }
        for kind, rule in data.draw(st.permutations(rules)):
            documents[data.draw(st.sampled_from(sorted(documents)))][kind].append(rule)
        territories = data.draw(st.permutations([("a", ["CN"]), ("b", ["DE", "FR"])]))
        files = {"rules/authorities.json": authorities_file(dict(territories))}
        return files | {name: json.dumps(document).encode() for name, document in documents.items()}

    one, other = parse_rules(written()), parse_rules(written())
    assert one.revision == other.revision
    assert one.rules == other.rules


def lies_inside(code: str, territory: list[str]) -> bool:
    """Say independently of the code under test whether `code` lies in a territory as it was written (G2)."""
    return any(
        code == of or code.startswith(f"{of}-") or (of in GROUPS and code[:2] in GROUPS[of].members) for of in territory
    )


territories = st.lists(st.sampled_from(CODES), min_size=1, max_size=3)


@given(theirs=territories, demanded=st.none() | st.lists(st.sampled_from(CODES + REFUSED_CODES), max_size=3))
def test_g2_no_text_loads_with_a_territory_outside_its_authoritys(
    theirs: list[str], demanded: list[str] | None
) -> None:
    files = {
        "authorities.json": authorities_file({"a": theirs}),
        "orders.json": json.dumps({"order": [order("o-1", "a", demanded)]}).encode(),
    }
    if (rules := rules_of(files)) is None:
        return
    (loaded,) = rules.rules
    assert isinstance(loaded, Order)
    assert loaded.territory
    assert [code for code in loaded.territory if not lies_inside(code, theirs)] == []
    assert loaded.territory.isdisjoint(OWN_COUNTRY_CODE)


@given(theirs=territories)
def test_g2_what_lies_inside_does_load(theirs: list[str]) -> None:
    files = {
        "authorities.json": authorities_file({"a": theirs}),
        "orders.json": json.dumps({"order": [order("o-1", "a", theirs)]}).encode(),
    }
    assert rules_of(files) is not None


names = st.sampled_from(("authorities.toml", "authorities.json", "a.toml", "b.json", "rules/c.toml", "d.txt"))
START = b'[[order]]\nid = "o-1"\nauthority = "a"\n'


@given(
    files=st.dictionaries(names, st.binary() | st.binary().map(START.__add__) | st.text().map(str.encode), max_size=3)
)
def test_arbitrary_bytes_load_or_are_refused(files: dict[str, bytes]) -> None:
    rules_of(files)


@given(data=st.data())
def test_a_good_file_with_a_few_bytes_changed_loads_or_is_refused(data: st.DataObject) -> None:
    document = {"order": [order("o-1", "a", ["CN"])], "host_policy": [policy("h-1")]}
    content = bytearray(json.dumps(document).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    rules_of({"authorities.json": authorities_file({"a": ["CN"]}), "orders.json": bytes(content)})


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from((*CODES, "*", "a", "o-1"))
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=2), max_leaves=4)


@given(table=st.fixed_dictionaries({}, optional=dict.fromkeys(order("o", "a", ["CN"]), values)), base=st.booleans())
def test_an_order_with_any_values_loads_or_is_refused(table: dict[str, Any], base: bool) -> None:
    tables = [order("o-1", "a", ["CN"]) | table if base else table, order("o-1", "a", None)]
    rules_of(
        {"authorities.json": authorities_file({"a": ["CN"]}), "orders.json": json.dumps({"order": tables}).encode()}
    )


def contents(*documents: dict[str, Any]) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


AUTHORITIES = [
    authorities_file({"a": ["CN"]}),
    authorities_file({"a": ["CN", "HK"]}),
    authorities_file({"a": ["HK"], "b": ["DE"]}),
    authorities_file({"b": ["DE"]}),
    b"{",
]
OTHERS = contents(
    {},
    {"order": [order("o-1", "a", ["CN"])]},
    {"order": [order("o-1", "a", None)]},
    {"order": [order("o-1", "a", None), order("o-2", "b", None)]},
    {"order": [order("o-2", "b", ["DE"])], "host_policy": [policy("h-1")]},
    {"host_policy": [policy("h-1"), policy("o-1")]},
    {"order": [order("o-3", "a", None) | {"action": "ban"}]},
    {"authority": {}},
)
BROKEN = [b"[", b"\xff"]
FILE_SETS = st.builds(
    lambda authorities, others: ({} if authorities is None else {"authorities.json": authorities}) | others,
    st.none() | st.sampled_from(AUTHORITIES),
    st.dictionaries(st.sampled_from(("1.json", "b.json", "c.toml")), st.sampled_from(OTHERS + BROKEN)),
)


@given(st.lists(FILE_SETS, min_size=2, max_size=4))
@example([{"authorities.json": authorities, "1.json": OTHERS[2]} for authorities in AUTHORITIES])
@example([{"authorities.json": AUTHORITIES[0], name: OTHERS[1]} for name in ("1.json", "b.json")])
def test_what_is_not_parsed_again_says_what_it_would_say(times: list[dict[str, bytes]]) -> None:
    """A file that is known is as good as one that is read: the same rules, or the same problems in the same words."""
    previous: RuleSet | None = None
    for files in times:
        found: list[object] = []
        for known in (None, previous):
            try:
                rules = parse_rules(files, previous=known)
                found.append((rules.rules, rules.revision, rules.digests, dict(rules.sources)))
            except RefusedInputError as refused:
                rules = None
                found.append(refused.problems)
        assert found[0] == found[1]
        previous = rules or previous
