"""Heads that can be read in more than one way: lines, targets, versions, upgrades, expectations (RFC 9112 2 to 5)."""

from typing import Final

from tests.integration.framing_rows import (
    CHUNKED_HIDDEN,
    CODING,
    HIDDEN,
    HIDDEN_TARGET,
    LENGTH,
    Row,
    get,
    head,
    refused,
    sent,
)

LINES: Final = {
    "an empty line before": sent(b"\r\n" + get(), method="GET"),
    "several spaces in the request line": sent(get().replace(b" /r ", b"  /r "), method="GET"),
    "a tab in the request line": refused(get().replace(b" /r ", b"\t/r\t")),
    "a space in the target": refused(get(target=b"/r x")),
    "a bare LF in the request line": refused(b"GET /r HTTP/1.1\nHost: a\r\n\r\n"),
    "bare LFs everywhere": refused(b"GET /r HTTP/1.1\nHost: a\n\n" + HIDDEN),
    "a bare LF at the end": refused(b"GET /r HTTP/1.1\r\nHost: a\r\n\n" + HIDDEN),
    "a bare CR at the end": refused(b"GET /r HTTP/1.1\r\nHost: a\r\rX" + HIDDEN),
    "a bare CR in a value": refused(get(b"X: a\rb")),
    "a bare CR before a name": refused(get(b"\rX: a")),
    "a folded line": refused(get(b"X: a\r\n b")),
    "a folded line at the start": refused(b"GET /r HTTP/1.1\r\n Host: a\r\n\r\n"),
    "a length folded": refused(head(b"Content-Length:\r\n %d" % len(HIDDEN)) + HIDDEN),
    "a length with a space before the colon": refused(head(b"Content-Length : %d" % len(HIDDEN)) + HIDDEN),
    "a length with a tab before the colon": refused(head(b"Content-Length\t: %d" % len(HIDDEN)) + HIDDEN),
    "a line without a colon": refused(get(b"X")),
    "a line without a name": refused(get(b": x")),
    "a name with a space": refused(get(b"X Y: z")),
    "a name with a high byte": refused(get(b"X\xe9: z")),
    "a name with NUL": refused(get(b"X\x00: z")),
    "a value with NUL": refused(get(b"X: a\x00b")),
    "a value with another control": refused(get(b"X: a\x01b")),
    "a value with DEL": refused(get(b"X: a\x7fb")),
    "a value with high bytes": sent(get(b"X: J\xfcrgen"), method="GET"),
    "NUL in the target": refused(get(target=b"/r\x00")),
    "a high byte in the target": refused(get(target=b"/r\xe9")),
    "DEL in the target": refused(get(target=b"/r\x7f")),
    "a fragment": refused(get(target=b"/r#x")),
    "an empty target": refused(b"GET  HTTP/1.1\r\nHost: a\r\n\r\n"),
    "a target without a slash": refused(get(target=b"r")),
    "a method in small letters": refused(head(method=b"get")),
    "an unknown method": refused(head(method=b"FROB")),
    "a method with a colon": refused(head(method=b"GET:")),
}

FORMS: Final = {
    "absolute-form": sent(get(target=b"http://a/r"), method="GET"),
    "absolute-form in capitals": sent(get(target=b"HTTP://A/r"), method="GET"),
    "absolute-form of another host": refused(get(target=b"http://b/r")),
    "absolute-form of a user": refused(get(target=b"http://u@a/r")),
    "absolute-form of another scheme": refused(get(target=b"ftp://a/r")),
    "absolute-form of no host": refused(get(target=b"http:///r")),
    "absolute-form of a hidden join": Row(get(target=b"http://a" + HIDDEN_TARGET.encode()), (451,)),
    "authority-form": refused(get(target=b"a:80")),
    "CONNECT": refused(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n" + HIDDEN, 501),
    "CONNECT with a length": refused(head(LENGTH, method=b"CONNECT", target=b"a:80") + HIDDEN, 501),
    "CONNECT of a path": refused(head(method=b"CONNECT") + HIDDEN, 501),
    "CONNECT in HTTP/1.0": refused(b"CONNECT a:80 HTTP/1.0\r\n\r\n" + HIDDEN, 501),
    "CONNECT and an Upgrade": refused(
        head(b"Connection: upgrade", b"Upgrade: websocket", method=b"CONNECT", target=b"a:80") + HIDDEN, 501
    ),
    "TRACE in absolute-form": refused(head(method=b"TRACE", target=b"http://a/r") + HIDDEN, 501),
    "TRACE with a length": refused(head(LENGTH, method=b"TRACE") + HIDDEN, 501),
    "TRACE with hops left": refused(head(b"Max-Forwards: 1", method=b"TRACE") + HIDDEN, 501),
    "TRACE": refused(head(method=b"TRACE") + HIDDEN, 501),
    "asterisk-form": refused(get(target=b"*")),
    "no Host": refused(b"GET /r HTTP/1.1\r\n\r\n"),
    "two Hosts": refused(get(b"Host: a")),
    "two Hosts, different": refused(get(b"Host: b")),
    "a Host with a space": refused(b"GET /r HTTP/1.1\r\nHost: a b\r\n\r\n"),
    "a Host with a path": refused(b"GET /r HTTP/1.1\r\nHost: a/join?\r\n\r\n"),
    "a Host with a user": refused(b"GET /r HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    "a Host in a list": refused(b"GET /r HTTP/1.1\r\nHost: a, b/\r\n\r\n"),
    "an underscored Host beside it": sent(get(b"X_Host: b"), method="GET"),
}

VERSIONS: Final = {
    "HTTP/1.0": sent(get(version=b"HTTP/1.0"), method="GET"),
    "HTTP/1.0 without Host": sent(b"GET /r HTTP/1.0\r\n\r\n", method="GET"),
    "HTTP/1.0 kept alive": sent(get(b"Connection: keep-alive", version=b"HTTP/1.0"), method="GET"),
    "HTTP/1.0 with a length": sent(head(LENGTH, version=b"HTTP/1.0") + HIDDEN, HIDDEN),
    "HTTP/0.9": refused(b"GET /r\r\n" + HIDDEN),
    "HTTP/0.9 in words": refused(get(version=b"HTTP/0.9"), 505),
    "HTTP/1.2": refused(get(version=b"HTTP/1.2")),
    "HTTP/1.10": refused(get(version=b"HTTP/1.10")),
    "HTTP/2.0": refused(get(version=b"HTTP/2.0"), 505),
    "HTTP/01.1": refused(get(version=b"HTTP/01.1")),
    "HTTP/1": refused(get(version=b"HTTP/1")),
    "http/1.1": refused(get(version=b"http/1.1")),
    "HTTPS/1.1": refused(get(version=b"HTTPS/1.1")),
    "RTSP/1.0": refused(get(version=b"RTSP/1.0")),
    "RTSP/1.1": refused(head(LENGTH, version=b"RTSP/1.1") + HIDDEN),
    "RTSP/2.0": refused(get(version=b"RTSP/2.0")),
    "a method of RTSP": refused(head(method=b"DESCRIBE", version=b"RTSP/1.0") + HIDDEN),
    "ICE/1.0": refused(head(method=b"SOURCE", version=b"ICE/1.0") + HIDDEN),
    "RTSP behind a request": Row(
        get() + head(method=b"OPTIONS", version=b"RTSP/1.0"), (200, 400), (("GET", "/r", ""),)
    ),
    "RTSP behind a request of the same method and target": refused(get() + get(version=b"RTSP/1.0")),
    "RTSP in a header and in the target": sent(
        get(b"X: GET /RTSP/ RTSP/1.0", target=b"/RTSP/"), method="GET", target="/RTSP/"
    ),
    "the HTTP/2 preface": refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a TLS hello": refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "nothing of HTTP": refused(b"\x00\x01\x02\x03\r\n\r\n"),
}

_WS: Final = (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
_UP: Final = (b"Connection: Upgrade", b"Upgrade: websocket")
_H2C: Final = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")

UPGRADES: Final = {
    "a handshake that is answered 200": sent(get(*_UP, *_WS), method="GET"),
    "a handshake and a hidden request": sent(get(*_UP, *_WS) + HIDDEN, method="GET"),
    "a handshake with a length": refused(get(*_UP, *_WS, LENGTH) + HIDDEN),
    "a handshake with chunks": refused(get(*_UP, *_WS, CODING) + CHUNKED_HIDDEN),
    "a handshake by POST": refused(head(*_UP, *_WS) + HIDDEN),
    "a handshake in HTTP/1.0": refused(get(*_UP, *_WS, version=b"HTTP/1.0") + HIDDEN),
    "a handshake without a key": refused(get(*_UP, _WS[0]) + HIDDEN),
    "a handshake of version 8": refused(get(*_UP, b"Sec-WebSocket-Version: 8", _WS[1]) + HIDDEN, 426),
    "h2c": sent(get(*_H2C), method="GET"),
    "h2c and a hidden request": Row(get(*_H2C) + HIDDEN, (200, 451), (("GET", "/r", ""),)),
    "h2c by HEAD and a hidden request": Row(head(*_H2C, method=b"HEAD") + HIDDEN, (200, 451), (("HEAD", "/r", ""),)),
    "h2c, and HTTP/2 behind it": Row(
        get(*_H2C) + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (200, 400), (("GET", "/r", ""),)
    ),
    "h2c in capitals, with a length": refused(get(b"CONNECTION: UPGRADE", b"UPGRADE: H2C", LENGTH) + HIDDEN),
    "h2c that Connection does not name, with a length": sent(head(b"Upgrade: h2c", LENGTH) + HIDDEN, HIDDEN),
    "h2c with a length": refused(get(*_H2C, LENGTH) + HIDDEN),
    "h2c with chunks": refused(get(*_H2C, CODING) + CHUNKED_HIDDEN),
    "an Upgrade nobody asks for": sent(get(b"Upgrade: websocket"), method="GET"),
    "an Upgrade nobody asks for, with a length": sent(head(b"Upgrade: websocket", LENGTH) + HIDDEN, HIDDEN),
    "an Upgrade to the unknown": sent(get(b"Connection: upgrade", b"Upgrade: x/1"), method="GET"),
    "Connection names a length": sent(head(b"Connection: content-length", LENGTH) + HIDDEN, HIDDEN),
    "Connection names a coding": sent(head(b"Connection: transfer-encoding", CODING) + CHUNKED_HIDDEN, HIDDEN),
    "Connection names Host": sent(get(b"Connection: host"), method="GET"),
    "close, and a hidden request": sent(get(b"Connection: close") + HIDDEN, method="GET"),
    "keep-alive and close": sent(get(b"Connection: keep-alive, close") + HIDDEN, method="GET"),
}

EXPECTATIONS: Final = {
    "100-continue": Row(head(b"Expect: 100-continue", LENGTH) + HIDDEN, (200,), (("POST", "/r", HIDDEN.decode()),)),
    "100-continue in capitals": sent(head(b"Expect: 100-CONTINUE", LENGTH) + HIDDEN, HIDDEN),
    "100-continue of chunks": sent(head(b"Expect: 100-continue", CODING) + CHUNKED_HIDDEN, HIDDEN),
    "100-continue of nothing": sent(get(b"Expect: 100-continue"), method="GET"),
    "100-continue twice": sent(head(b"Expect: 100-continue", b"Expect: 100-continue", LENGTH) + HIDDEN, HIDDEN),
    "100-continue in HTTP/1.0": sent(head(b"Expect: 100-continue", LENGTH, version=b"HTTP/1.0") + HIDDEN, HIDDEN),
    "another expectation": refused(head(b"Expect: 200-ok", LENGTH) + HIDDEN, 417),
    "an empty expectation": refused(head(b"Expect:", LENGTH) + HIDDEN, 417),
    "a list of expectations": refused(head(b"Expect: 100-continue, x", LENGTH) + HIDDEN, 417),
    "an expectation and NUL": refused(head(b"Expect: 100-continue\x00", LENGTH) + HIDDEN),
    "an underscored length beside a length": sent(head(LENGTH, b"Content_Length: 0") + HIDDEN, HIDDEN),
    "an underscored coding beside a length": sent(head(LENGTH, b"Transfer_Encoding: chunked") + HIDDEN, HIDDEN),
    "a forged client address": sent(get(b"X-Forwarded-For: 1.2.3.4", b"X_Forwarded_For: 1.2.3.4"), method="GET"),
    "another target in a header": sent(get(b"X-Original-URL: /x", b"X-Rewrite-URL: /x"), method="GET"),
    "another method in a header": sent(get(b"X-HTTP-Method-Override: POST"), method="GET"),
    "a pipelined hidden request": Row(get() + HIDDEN + get(), (200, 451, 200), (("GET", "/r", ""),) * 2),
    "a pipelined refusal": Row(get() + get(b"X : y") + HIDDEN, (200, 400), (("GET", "/r", ""),)),
    "a body in a pipeline": Row(
        head(LENGTH) + HIDDEN + head(CODING) + CHUNKED_HIDDEN, (200, 200), (("POST", "/r", HIDDEN.decode()),) * 2
    ),
}
