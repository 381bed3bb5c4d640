"""A notice as a page for a person: what happened, on whose demand, what became of their data, what they can do.

Readable on a phone, printable, and complete in itself; what is worth quoting (rule, receipt) is plain text on it.
"""

from html import escape

import orjson

from joingate.codecs.moment import rfc3339, spoken
from joingate.codecs.negotiation import Language
from joingate.codecs.notice import Notice, Terms
from joingate.codecs.notice_words import WORDS, Words
from joingate.codecs.page import document, fill, text
from joingate.codecs.territory_names import list_places, place_name
from joingate.core.location import UNKNOWN_PLACE
from joingate.core.receipt import Receipt


def render_page(notice: Notice, language: Language) -> bytes:
    """Write the page in `language`, UTF-8."""
    words = WORDS[language]
    unknown = notice.located_as == UNKNOWN_PLACE
    place = words.unknown if unknown else place_name(notice.located_as, language)
    facts = (
        _policy_facts(notice, words, language)
        if notice.order is None
        else _order_facts(notice, notice.order, words, language)
    )
    kept = words.data_kept_inside if notice.ejected else words.data_kept
    main = "\n".join(
        (
            _lead(notice, words, place, unknown=unknown),
            _facts([*facts, (words.located_as, _inserted(place))]),
            _actions(notice, words, place, unknown=unknown),
            f"<h2>{text(words.data)}</h2>\n<p>{text(kept)}</p>\n<p>{text(words.data_care)}</p>",
            _receipt(notice, words),
        )
    )
    return document(
        language,
        title=words.removed if notice.ejected else words.not_let_in,
        kind=words.host_kind if notice.order is None else words.order_kind,
        main=main,
        footer=_footer(notice, words),
    )


def _lead(notice: Notice, words: Words, place: str, *, unknown: bool) -> str:
    host_lead = words.host_lead_unknown if unknown else words.host_lead
    lead = host_lead if notice.order is None else words.order_lead
    return f'<p class="lead">{fill(lead, place=place)}</p>\n<p class="assurance">{text(words.goes_on)}</p>'


def _order_facts(notice: Notice, order: Terms, words: Words, language: Language) -> list[tuple[str, str]]:
    until = f'<time datetime="{rfc3339(order.closes)}">{text(spoken(order.closes, language))}</time>'
    return [
        (words.authority, _inserted(order.authority)),
        (words.legal_basis, _inserted(order.legal_basis)),
        (words.order_id, f"<code>{_inserted(notice.rule)}</code>"),
        (words.until, until),
        (words.territory, _inserted(list_places(notice.codes, language))),
    ]


def _policy_facts(notice: Notice, words: Words, language: Language) -> list[tuple[str, str]]:
    return [
        (words.restricted_by, text(words.the_host)),
        (words.policy_id, f"<code>{_inserted(notice.rule)}</code>"),
        (words.allow if notice.allows else words.deny, _inserted(list_places(notice.codes, language))),
    ]


def _facts(facts: list[tuple[str, str]]) -> str:
    """Write label and HTML pairs; a browser shows them as a table on a wide screen, stacked on a narrow one."""
    rows = "\n".join(f"<div><dt>{text(label)}</dt><dd>{value}</dd></div>" for label, value in facts)
    return f"<dl>\n{rows}\n</dl>"


def _actions(notice: Notice, words: Words, place: str, *, unknown: bool) -> str:
    parts = [f"<h2>{text(words.actions)}</h2>"]
    if notice.order is not None and notice.order.notice_url is not None:
        parts.append(f"<p>{text(words.read_order)}<br>{_link(notice.order.notice_url)}</p>")
    parts.append(f"<p>{text(words.contact)}</p>")
    parts.append(f"<p>{text(words.no_ban)}</p>")
    if unknown:
        parts.append(f"<h2>{text(words.not_there_unknown)}</h2>\n<p>{text(words.not_there_unknown_why)}</p>")
    else:
        parts.append(f"<h2>{fill(words.not_there, place=place)}</h2>\n<p>{text(words.not_there_why)}</p>")
    return "\n".join(parts)


def _receipt(notice: Notice, words: Words) -> str:
    return (
        f'<h2>{text(words.receipt)}</h2>\n<p class="receipt"><code>{text(notice.receipt.code)}</code></p>\n'
        f"<p>{text(words.receipt_use)}</p>\n"
        f"<details><summary>{text(words.promise)}</summary>\n<p>{text(words.promise_use)}</p>\n"
        f"<pre>{text(_promise(notice.receipt))}</pre></details>"
    )


def _promise(receipt: Receipt) -> str:
    """Write the receipt with its promise as `joingate ledger prove --promise` reads it."""
    members = {"receipt": receipt.code, "receipt_promise": receipt.promise.members()}
    return orjson.dumps(members, option=orjson.OPT_INDENT_2).decode("utf-8", "replace")


def _footer(notice: Notice, words: Words) -> str:
    whose = words.no_order if notice.order is None else words.not_ours
    return (
        f"<p>{text(whose)}</p>\n<p>{text(words.same_answer)}</p>\n"
        f'<p><a href="{escape(notice.about_url)}">{text(words.about)}</a></p>'
    )


def _inserted(value: str) -> str:
    return f"<bdi>{text(value)}</bdi>"


def _link(url: str) -> str:
    """Link to a web address and show it, for print; anything else is shown and not linked: no `javascript:`."""
    shown = _inserted(url)
    if not url.lower().startswith(("https://", "http://")):
        return shown
    return f'<a href="{text(url)}" rel="noreferrer">{shown}</a>'
