"""A notice as a complete HTTP/1.1 response: problem+json by default, a page for whoever prefers HTML.

Source: RFC 7725 3 and 4 (451, blocked-by), RFC 9457 3 (members), RFC 8288 3 (Link), RFC 9110 12.5 (negotiation).
"""

from urllib.parse import quote

import orjson

from joingate.codecs.http_answer import HTML, PROBLEM_JSON, assemble
from joingate.codecs.moment import rfc3339, spoken
from joingate.codecs.negotiation import Language, choose_language, prefers_html
from joingate.codecs.notice import Notice, Terms
from joingate.codecs.notice_page import render_page
from joingate.codecs.notice_words import WORDS
from joingate.codecs.page import POLICY
from joingate.codecs.territory_names import place_name
from joingate.core.location import UNKNOWN_PLACE

LEGAL_ORDER = "urn:joingate:problem:legal-order"
HOST_POLICY = "urn:joingate:problem:host-policy"
"""The two problem types: stable names, by which a client or a measurement tells these refusals from a censor's."""

# What RFC 3986 lets stand in a URI reference; everything else, CR, LF, ">" and non-ASCII among it, is percent-encoded.
_URI_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"

_CONTENT_LANGUAGE = {language: f"Content-Language: {language}\r\n".encode() for language in Language}
_VARY = b"Vary: Accept, Accept-Language\r\n"


def render_response(notice: Notice, *, accept: str, accept_language: str, head_only: bool, keep_alive: bool) -> bytes:
    """Answer a refused join, or the next request of somebody ejected.

    Args:
        notice: what to say.
        accept: the request's Accept field, several joined by commas; "" when it has none.
        accept_language: likewise.
        head_only: whether the request was a HEAD.
        keep_alive: whether the connection stays open afterwards.

    Returns:
        Status line, fields and content.
    """
    language = choose_language(accept_language)
    as_page = prefers_html(accept)
    fields = (HTML + POLICY if as_page else PROBLEM_JSON) + _CONTENT_LANGUAGE[language] + _VARY
    if notice.order is not None:
        # RFC 7725 4: whoever implements the block, not whoever demands it (erratum 5181).
        fields += b'Link: <%b>; rel="blocked-by"\r\n' % quote(notice.about_url, safe=_URI_CHARACTERS).encode()
    body = render_page(notice, language) if as_page else render_json(notice, language)
    return assemble(notice.status, fields, body, keep_alive=keep_alive, head_only=head_only)


def render_json(notice: Notice, language: Language) -> bytes:
    """Write the problem object; `title` and `detail` are in `language`, everything else is the same in all."""
    if notice.order is None:
        members = _policy_members(notice, language)
    else:
        members = _order_members(notice, notice.order, language)
    members["located_as"] = notice.located_as
    members["applies_to"] = "participant"
    members["meeting_ended"] = False
    members["receipt"] = notice.receipt.code
    members["receipt_promise"] = notice.receipt.promise.members()
    return orjson.dumps(members)


def _order_members(notice: Notice, order: Terms, language: Language) -> dict[str, object]:
    words = WORDS[language]
    place = place_name(notice.located_as, language)
    members: dict[str, object] = {
        "type": LEGAL_ORDER,
        "title": words.order_title,
        "status": notice.status,
        "detail": words.order_detail.format(place=place, until=spoken(order.closes, language)),
        "authority": order.authority,
        "legal_basis": order.legal_basis,
        "scope": notice.codes,
        "until": rfc3339(order.closes),
        "order": notice.rule,
    }
    if order.notice_url is not None:
        members["notice_url"] = order.notice_url
    return members


def _policy_members(notice: Notice, language: Language) -> dict[str, object]:
    words = WORDS[language]
    if notice.located_as == UNKNOWN_PLACE:
        detail = words.host_detail_unknown
    else:
        detail = words.host_detail.format(place=place_name(notice.located_as, language))
    return {
        "type": HOST_POLICY,
        "title": words.host_title,
        "status": notice.status,
        "detail": detail,
        "policy": notice.rule,
        "scope": {"allow" if notice.allows else "deny": notice.codes},
    }
