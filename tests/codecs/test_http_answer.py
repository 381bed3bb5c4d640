import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.codecs.http_answer import PHRASES, PROBLEM_JSON, assemble, render_in_band, render_problem
from tests.codecs.restrictions import Response


def test_a_problem_byte_for_byte() -> None:
    assert render_problem(503, "The gate is full.", keep_alive=False, retry_after=5) == (
        b"HTTP/1.1 503 Service Unavailable\r\n"
        b"Content-Type: application/problem+json\r\n"
        b"Content-Language: en\r\n"
        b"Retry-After: 5\r\n"
        b"Cache-Control: no-store\r\n"
        b"Referrer-Policy: no-referrer\r\n"
        b"X-Content-Type-Options: nosniff\r\n"
        b"Content-Length: 94\r\n"
        b"Connection: close\r\n"
        b"\r\n"
        b'{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The gate is full."}'
    )


@pytest.mark.parametrize("status", sorted(PHRASES))
def test_every_status_says_itself(status: int) -> None:
    response = Response(render_problem(status, "Why.", keep_alive=True))
    assert (response.status, response.keeps_alive) == (status, True)
    assert "Retry-After" not in response.headers
    assert orjson.loads(response.body) == {
        "type": "about:blank",
        "title": PHRASES[status],
        "status": status,
        "detail": "Why.",
    }


def test_an_answer_in_a_server_s_stead_is_readable_from_other_origins() -> None:
    answer = render_in_band(b"text/xml", b"<a/>", keep_alive=False)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nAccess-Control-Allow-Origin: *\r\n")
    assert answer.endswith(b"Content-Length: 4\r\nConnection: close\r\n\r\n<a/>")


def test_an_upgrade_is_named_in_connection_too() -> None:
    offer = ((b"Sec-WebSocket-Version", b"13"), (b"Upgrade", b"websocket"))
    answer = render_problem(426, "Why.", keep_alive=False, headers=offer)
    assert b"\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n" in answer
    assert b"\r\nConnection: close, upgrade\r\n" in answer
    assert b"\r\nConnection: close\r\n" in render_problem(426, "Why.", keep_alive=False, headers=offer[:1])


def test_a_head_request_gets_the_length_and_no_content() -> None:
    whole = render_problem(400, "Why.", keep_alive=True)
    head = render_problem(400, "Why.", keep_alive=True, head_only=True)
    assert head == whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_a_status_the_gate_does_not_answer_with() -> None:
    with pytest.raises(KeyError):
        assemble(404, PROBLEM_JSON, b"", keep_alive=True, head_only=False)


@given(st.text())
def test_no_detail_breaks_the_response(detail: str) -> None:
    response = Response(render_problem(400, detail, keep_alive=True))
    assert orjson.loads(response.body)["detail"] == detail
    assert set(response.headers) == {
        "Content-Type",
        "Content-Language",
        "Cache-Control",
        "Referrer-Policy",
        "X-Content-Type-Options",
        "Content-Length",
    }
