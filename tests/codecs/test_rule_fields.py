"""Single values of a rule file: what stands, and what is said of what does not."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs import rule_fields
from joingate.core.territory import COUNTRIES, GROUPS, expand

MOMENT = datetime(2020, 6, 3, 16, tzinfo=UTC)
LONG = "x" * 120


@pytest.mark.parametrize(
    ("check", "value"),
    [
        *[(rule_fields.identifier, value) for value in ("a", "A.b_c-9", "x" * 64)],
        *[(rule_fields.code, value) for value in ("CN", "HK", "XK", "UA-43", "FR-IDF", "EU", "EU+", "EEA")],
        (rule_fields.codes, ["CN"]),
        *[
            (rule_fields.meeting, value)
            for value in ("8412345678", "*", "a*", "Daily Stand-up", "会议", "👩‍🚀", "m" * 512)
        ],
        (rule_fields.meetings, ["m"]),
        *[(rule_fields.text, value) for value in ("Law, article 1", "法律", "x" * 2048)],
        *[(rule_fields.url, f"{url}") for url in ("http://h", "https://h:8443/a?b=c#d", "https://[::1]/%20")],
        (rule_fields.day, date(2020, 5, 29)),
        (rule_fields.moment, MOMENT),
    ],
)
def test_good_values_are_returned(check: Callable[[Any], Any], value: Any) -> None:
    assert check(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2020-06-03T16:00:00Z", MOMENT),
        ("2020-06-03t16:00:00z", MOMENT),
        ("2020-06-03 18:00:00+02:00", MOMENT),
        ("2020-06-03T16:00:00.25Z", MOMENT.replace(microsecond=250_000)),
    ],
)
def test_moments_as_text(value: str, expected: datetime) -> None:
    assert rule_fields.moment(value) == expected


def test_days_as_text() -> None:
    assert rule_fields.day("2020-05-29") == date(2020, 5, 29)


NOT_AN_ID = 'cannot be an id; write 1 to 64 letters, digits, ".", "_" or "-" (A-Z, a-z, 0-9)'
NO_URL = 'is no absolute URL; write one such as "https://example.org/orders/1"'
A_DAY = "is not a day; write one such as 2020-05-29"
A_MOMENT = "is not a moment; write one such as 2020-06-03T16:00:00Z"


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (rule_fields.identifier, "", f'"" {NOT_AN_ID}'),
        (rule_fields.identifier, "a\n", f'"a\\n" {NOT_AN_ID}'),
        (rule_fields.identifier, "é", f'"é" {NOT_AN_ID}'),
        (rule_fields.code, "CN-HK", '"CN-HK" has a country code of its own; write "HK"'),
        (rule_fields.code, "C\nN", '"C\\nN" is not a territory; write an ISO 3166 code such as "DE" or "UA-43"'),
        (
            rule_fields.code,
            "x" * 17,
            f'"{"x" * 17}" is not a territory; write an ISO 3166 code such as "DE" or "UA-43"',
        ),
        (rule_fields.code, "HK-01", '"HK-01" does not exist: ISO 3166-2 has no parts of "HK"; write "HK"'),
        (
            rule_fields.code,
            "UA-44",
            '"UA-44" does not exist in ISO 3166-2; of "UA" it has "UA-46", "UA-48", "UA-74" and others',
        ),
        (rule_fields.code, "KM-X", '"KM-X" does not exist in ISO 3166-2; of "KM" it has "KM-A", "KM-G", "KM-M"'),
        (rule_fields.codes, [], 'is empty; write at least one code, such as ["CN"]'),
        (rule_fields.meeting, "", "an empty id names no meeting; remove it"),
        (rule_fields.meeting, " ", "an empty id names no meeting; remove it"),
        (rule_fields.meeting, "m ", '"m " has white space at an end, and would never match; write "m"'),
        (
            rule_fields.meeting,
            "**",
            '"**" has a "*" before its end; write exact ids, or a prefix such as "all-hands-*"',
        ),
        (rule_fields.meeting, "m\x85", '"m\\u0085" holds a control character; write the meeting\'s own id'),
        (
            rule_fields.meeting,
            "x" * 513,
            f'"{LONG}..." is longer than 512 characters; write the meeting\'s own id',
        ),
        (
            rule_fields.meetings,
            [],
            'is empty, and would restrict nobody; write the ids of the meetings, such as ["8412345678"]',
        ),
        (rule_fields.text, "\t", "is blank; write what the people restricted are to read"),
        (
            rule_fields.text,
            "a@b.example",
            "holds what reads as a mail address, and goes on record for good; write it without",
        ),
        (rule_fields.text, "a\u2028b", "holds a line break or another control character; write it on one line"),
        (
            rule_fields.text,
            "x" * 2049,
            "is longer than 2048 characters; shorten it, and publish the rest at notice_url",
        ),
        (rule_fields.url, "https://h/" + "x" * 2039, "is longer than 2048 characters; write a shorter URL"),
        *[
            (rule_fields.url, url, f'"{url}" {NO_URL}')
            for url in (
                "h/1",
                "//h/1",
                "ftp://h",
                "https://",
                "https://:1/",
                "https://h:0/",
                "https://h:x/",
                "https://[::1",
            )
        ],
        (rule_fields.url, "https://h/ a", f'"https://h/ a" {NO_URL}'),
        (rule_fields.url, "javascript:alert(1)", f'"javascript:alert(1)" {NO_URL}'),
        (rule_fields.day, "29 May", f'"29 May" {A_DAY}'),
        (rule_fields.day, "2021-02-29", '"2021-02-29" is not in the calendar; write a day such as 2020-05-29'),
        (rule_fields.day, MOMENT, f"2020-06-03 16:00:00+00:00 {A_DAY}"),
        (rule_fields.day, 20200529, f"20200529 {A_DAY}"),
        (rule_fields.moment, "2020-06-03", f'"2020-06-03" {A_MOMENT}'),
        (rule_fields.moment, "2020-W23-3T16:00:00Z", f'"2020-W23-3T16:00:00Z" {A_MOMENT}'),
        (rule_fields.moment, "٢٠٢٠-06-03T16:00:00Z", f'"٢٠٢٠-06-03T16:00:00Z" {A_MOMENT}'),
        (rule_fields.moment, 1591200000, f"1591200000 {A_MOMENT}"),
        (rule_fields.moment, date(2020, 6, 3), f"2020-06-03 {A_MOMENT}"),
        (rule_fields.moment, time(16), f"16:00:00 {A_MOMENT}"),
        (
            rule_fields.moment,
            "2020-06-31T16:00:00Z",
            '"2020-06-31T16:00:00Z" is not in the calendar; write a moment such as 2020-06-03T16:00:00Z',
        ),
        *[
            (
                rule_fields.moment,
                local,
                "2020-06-03T16:00:00 has no time zone; write an offset, e.g. 2020-06-03T16:00:00Z",
            )
            for local in ("2020-06-03T16:00:00", datetime(2020, 6, 3, 16))  # noqa: DTZ001 - what TOML's local time is
        ],
    ],
)
def test_bad_values_say_what_to_write(check: Callable[[Any], Any], value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check(value)


def refusal_of(code: str) -> str | None:
    try:
        rule_fields.code(code)
    except ValueError as refused:
        return str(refused)
    return None


def test_no_suggestion_is_itself_refused() -> None:
    for country in sorted(COUNTRIES):
        refusal = refusal_of(f"{country}-ZZZ")
        assert refusal is not None
        for suggestion in refusal.partition(" it has ")[2].split('"')[1::2]:
            assert rule_fields.code(suggestion) == suggestion


@given(value=st.text(max_size=8) | st.from_regex(r"[A-Z]{2}-[A-Z0-9]{1,3}", fullmatch=True))
def test_a_code_that_stands_can_be_expanded_and_one_that_does_not_is_refused_on_one_line(value: str) -> None:
    refusal = refusal_of(value)
    if refusal is None:
        assert expand([value]) == (GROUPS[value].members if value in GROUPS else {value})
    else:
        assert refusal.splitlines() == [refusal]
