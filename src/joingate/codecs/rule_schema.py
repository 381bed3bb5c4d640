"""The shape of a rule file: which tables and keys there are, and what each may hold.

pydantic checks shape and single values in one call on the whole file. Nothing here runs per join, and none of its own
wording reaches a person: `rule_problems` says it in ours. The descriptions and examples below serve twice, in
the JSON Schema and where a key is missing.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.fields import FieldInfo

from joingate.codecs import rule_fields

Id = Annotated[
    str,
    AfterValidator(rule_fields.identifier),
    WithJsonSchema({"type": "string", "pattern": f"^{rule_fields.ID.pattern}$"}),
]
Code = Annotated[
    str,
    AfterValidator(rule_fields.code),
    WithJsonSchema({"type": "string", "pattern": r"^([A-Z]{2}(-[A-Z0-9]{1,3})?|EU\+|EEA)$"}),
]
Codes = Annotated[list[Code], AfterValidator(rule_fields.codes), Field(json_schema_extra={"minItems": 1})]
Meeting = Annotated[
    str,
    AfterValidator(rule_fields.meeting),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": rule_fields.LONGEST_MEETING_ID}),
]
Meetings = Annotated[list[Meeting], AfterValidator(rule_fields.meetings), Field(json_schema_extra={"minItems": 1})]
Text = Annotated[
    str,
    AfterValidator(rule_fields.text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": rule_fields.LONGEST_TEXT}),
]
Url = Annotated[
    str,
    AfterValidator(rule_fields.url),
    WithJsonSchema({"type": "string", "format": "uri", "maxLength": rule_fields.LONGEST_URL}),
]
Day = Annotated[date, PlainValidator(rule_fields.day), WithJsonSchema({"type": "string", "format": "date"})]
Moment = Annotated[
    datetime, PlainValidator(rule_fields.moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
ActionWord = Literal["reject", "eject"]


class _Table(BaseModel):
    """A closed table: a key that is not here is a mistake, and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True)


class AuthorityTable(_Table):
    """Who may demand what where."""

    name: Text = Field(description="the authority's full name", examples=["Cyberspace Administration of China"])
    branch: Literal["judicial", "executive", "police", "regulator", "other"] = Field(
        description="the branch of state it belongs to", examples=["judicial"]
    )
    territory: Codes = Field(description="where it has authority", examples=[["CN"]])


class AskedTable(_Table):
    """What was demanded, if more than was granted."""

    objects: list[Literal["meeting", "account", "participants", "data", "other"]] = Field(
        default=[], description="what the demand was aimed at", examples=[["meeting", "account"]]
    )
    territory: list[Code] = Field(default=[], description="where it was to apply", examples=[["CN", "HK"]])


class OrderTable(_Table):
    """A legal demand as accepted."""

    id: Id = Field(description="an id that no other rule has", examples=["cac-2020-0604-1"])
    authority: str = Field(description="the id of the authority, from authorities.toml", examples=["cac"])
    territory: Codes | None = Field(
        default=None,
        description="where it applies, inside the authority's territory; without it, all of that",
        examples=[["CN"]],
    )
    meetings: Meetings = Field(
        description='exact ids, prefixes ("all-hands-*"), or ["*"] with service_wide', examples=[["8412345678"]]
    )
    action: ActionWord = Field(description='"reject" (new joins only) or "eject" (those already inside as well)')
    legal_basis: Text = Field(description="the instrument and provision", examples=["Cybersecurity Law, article 28"])
    reference: Text = Field(description="the authority's own reference", examples=["2020/0604"])
    received: Day = Field(description="the day the demand was received", examples=["2020-05-29"])
    opens: Moment = Field(alias="from", description="the moment it comes into force", examples=["2020-06-03T16:00:00Z"])
    closes: Moment = Field(
        alias="until",
        description="the moment it ends, at most 90 days later (366 if service_wide)",
        examples=["2020-06-04T16:00:00Z"],
    )
    service_wide: bool = Field(default=False, description='for meetings = ["*"] (sanctions)', examples=[True])
    asked: AskedTable | None = Field(default=None, description="what was demanded, if more than was granted")
    notice_url: Url | None = Field(
        default=None, description="where the order is published", examples=["https://example.org/orders/1"]
    )
    shadow: bool = Field(default=False, description="decide and count, do not enforce", examples=[True])


class HostPolicyTable(_Table):
    """A meeting owner's own wish, with no legal claim."""

    id: Id = Field(description="an id that no other rule has", examples=["board-eu-only"])
    meetings: Meetings = Field(description='exact ids, or prefixes ("board-*")', examples=[["board-*"]])
    action: ActionWord = Field(description='"reject" (new joins only) or "eject" (those already inside as well)')
    allow: Codes | None = Field(
        default=None, description="from where to admit, and nowhere else", examples=[["EU", "CH"]]
    )
    deny: Codes | None = Field(default=None, description="from where not to admit", examples=[["US"]])
    unknown: Literal["admit", "reject"] = Field(
        default="admit", description="what becomes of whoever cannot be located", examples=["admit"]
    )
    shadow: bool = Field(default=False, description="decide and count, do not enforce", examples=[True])


class RuleFile(_Table):
    """A rule file of joingate: authorities in authorities.toml, orders and host policies in every other file."""

    authority: dict[Id, AuthorityTable] = Field(default={}, description="[authority.ID], in authorities.toml only")
    order: list[OrderTable] = Field(default=[], description="[[order]]")
    host_policy: list[HostPolicyTable] = Field(default=[], description="[[host_policy]]")


TABLES: dict[str, type[_Table]] = {
    "": RuleFile,
    "authority": AuthorityTable,
    "order": OrderTable,
    "order.asked": AskedTable,
    "host_policy": HostPolicyTable,
}
"""Every table by the way it is written."""

KEYS: dict[str, dict[str, FieldInfo]] = {
    table: {field.alias or name: field for name, field in model.model_fields.items()} for table, model in TABLES.items()
}
"""For each table the keys as written, with their pydantic fields."""


def rules_json_schema() -> dict[str, Any]:
    """Build the JSON Schema (draft 2020-12) of a rule file, as `joingate schema rules` prints it."""
    schema = RuleFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
