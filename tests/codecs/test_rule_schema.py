"""The shape of a rule file, and its JSON Schema."""

from typing import Any

from joingate.codecs.rule_schema import KEYS, TABLES, rules_json_schema


def test_the_schema_is_closed_and_of_draft_2020_12() -> None:
    schema = rules_json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    tables = [schema, *schema["$defs"].values()]
    assert len(tables) == len(TABLES)
    assert [table["additionalProperties"] for table in tables] == [False] * len(tables)


def test_the_schema_has_the_keys_of_a_rule_file() -> None:
    schema = rules_json_schema()
    assert list(schema["properties"]) == ["authority", "order", "host_policy"]
    order = schema["$defs"]["OrderTable"]
    assert {"from", "until"} < order["properties"].keys()
    assert order["required"] == [
        "id", "authority", "meetings", "action", "legal_basis", "reference", "received", "from", "until",
    ]  # fmt: skip
    assert schema["$defs"]["HostPolicyTable"]["required"] == ["id", "meetings", "action"]
    assert schema["$defs"]["AuthorityTable"]["required"] == ["name", "branch", "territory"]


def test_no_value_names_a_meeting_or_an_account_as_the_object_of_an_action() -> None:
    order = rules_json_schema()["$defs"]["OrderTable"]["properties"]
    assert order["action"]["enum"] == ["reject", "eject"]


def test_the_schema_says_what_the_checks_check() -> None:
    order = rules_json_schema()["$defs"]["OrderTable"]["properties"]
    assert order["id"]["pattern"] == "^[A-Za-z0-9._-]{1,64}$"
    assert order["meetings"]["minItems"] == 1
    assert order["meetings"]["items"] == {"type": "string", "minLength": 1, "maxLength": 512}
    assert (order["received"]["format"], order["from"]["format"]) == ("date", "date-time")
    territory: dict[str, Any] = order["territory"]["anyOf"][0]
    assert territory["minItems"] == 1


def test_every_key_says_what_it_holds() -> None:
    assert [key for keys in KEYS.values() for key, field in keys.items() if not field.description] == []
