"""Bodies whose length can be read in more than one way: Content-Length, Transfer-Encoding, chunks (RFC 9112 6, 7)."""

from typing import Final

from tests.integration.framing_rows import (
    CHUNKED_HIDDEN,
    CODING,
    HIDDEN,
    LENGTH,
    LENGTH_OF_BOTH,
    NOTHING_THEN_HIDDEN,
    Row,
    broken_off,
    get,
    head,
    refused,
    sent,
)

LENGTHS: Final = {
    "a length": sent(head(LENGTH) + HIDDEN, HIDDEN),
    "a length of nothing": sent(head(b"Content-Length: 0")),
    "leading zeroes": sent(head(b"Content-Length: 000%d" % len(HIDDEN)) + HIDDEN, HIDDEN),
    "white space around a length": sent(head(b"Content-Length: \t %d \t" % len(HIDDEN)) + HIDDEN, HIDDEN),
    "a GET with a body": sent(get(LENGTH) + HIDDEN, HIDDEN, method="GET"),
    "a DELETE with a body": sent(head(LENGTH, method=b"DELETE") + HIDDEN, HIDDEN, method="DELETE"),
    "a length twice, the same": refused(head(LENGTH, LENGTH) + HIDDEN),
    "a length twice, different": refused(head(LENGTH, b"Content-Length: 0") + HIDDEN),
    "a length twice, different the other way": refused(head(b"Content-Length: 0", LENGTH) + HIDDEN),
    "a length twice in one line, the same": refused(head(b"Content-Length: 5, 5") + HIDDEN),
    "a length twice in one line": refused(head(b"Content-Length: 0, %d" % len(HIDDEN)) + HIDDEN),
    "a length with a comma": refused(head(b"Content-Length: %d," % len(HIDDEN)) + HIDDEN),
    "a length with a plus": refused(head(b"Content-Length: +%d" % len(HIDDEN)) + HIDDEN),
    "a length below zero": refused(head(b"Content-Length: -%d" % len(HIDDEN)) + HIDDEN),
    "minus zero": refused(head(b"Content-Length: -0") + HIDDEN),
    "a length with an underscore": refused(head(b"Content-Length: 1_0") + HIDDEN),
    "a hexadecimal length": refused(head(b"Content-Length: 0x10") + HIDDEN),
    "a length in hexadecimal digits": refused(head(b"Content-Length: 1f") + HIDDEN),
    "a length with a fraction": refused(head(b"Content-Length: 1.0") + HIDDEN),
    "a length with an exponent": refused(head(b"Content-Length: 1e1") + HIDDEN),
    "a length in quotes": refused(head(b'Content-Length: "10"') + HIDDEN),
    "a length in two parts": refused(head(b"Content-Length: 1 0") + HIDDEN),
    "an empty length": refused(head(b"Content-Length:") + HIDDEN),
    "a length of white space": refused(head(b"Content-Length:  \t ") + HIDDEN),
    "a length in Arabic digits": refused(head("Content-Length: \u0661\u0660".encode()) + HIDDEN),
    "a length after a form feed": refused(head(b"Content-Length: \x0c5") + HIDDEN),
    "a length after a vertical tab": refused(head(b"Content-Length: \x0b5") + HIDDEN),
    "a length of 2^63": refused(head(b"Content-Length: 9223372036854775808") + HIDDEN),
    "a length of 2^64": refused(head(b"Content-Length: 18446744073709551616") + HIDDEN),
    "a length of 2^64 and some": refused(head(b"Content-Length: %d" % (2**64 + len(HIDDEN))) + HIDDEN),
    "a length of 2^32 and some": refused(head(b"Content-Length: %d" % (2**32 + 5)) + HIDDEN, 408),
    "a length of 5000 digits": refused(head(b"Content-Length: " + b"1" * 5000) + HIDDEN),
    "a length and an underscore": Row(
        head(b"Content_Length: %d" % len(HIDDEN)) + HIDDEN, (200, 451), (("POST", "/r", ""),)
    ),
}

CODINGS: Final = {
    "chunked": sent(head(CODING) + CHUNKED_HIDDEN, HIDDEN),
    "chunked in capitals": sent(head(b"TRANSFER-ENCODING: CHUNKED") + CHUNKED_HIDDEN, HIDDEN),
    "chunked by a GET": sent(get(CODING) + CHUNKED_HIDDEN, HIDDEN, method="GET"),
    "both": refused(head(CODING, LENGTH_OF_BOTH) + NOTHING_THEN_HIDDEN),
    "both, the length first": refused(head(LENGTH_OF_BOTH, CODING) + NOTHING_THEN_HIDDEN),
    "both, the length nothing": refused(head(b"Content-Length: 0", CODING) + CHUNKED_HIDDEN),
    "both, in HTTP/1.0": refused(head(LENGTH_OF_BOTH, CODING, version=b"HTTP/1.0") + NOTHING_THEN_HIDDEN),
    "chunked in HTTP/1.0": refused(head(CODING, b"Connection: keep-alive", version=b"HTTP/1.0") + CHUNKED_HIDDEN),
}
_UNKNOWN_CODINGS: Final = {
    "identity",
    "identity, chunked",
    "gzip, chunked",
    "xchunked",
    "chunkedx",
    "quoted chunked",
    "chunked with a parameter",
    "a comma and chunked",
    "chunked before a no-break space",
    "two lines, identity and chunked",
    "chunked and a colon",
}
"""They could be codings; the others are no Transfer-Encoding that anybody may send."""
for _name, _line in {
    "chunked, chunked": b"Transfer-Encoding: chunked, chunked",
    "identity": b"Transfer-Encoding: identity",
    "identity, chunked": b"Transfer-Encoding: identity, chunked",
    "chunked, identity": b"Transfer-Encoding: chunked, identity",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked",
    "chunked, gzip": b"Transfer-Encoding: chunked, gzip",
    "xchunked": b"Transfer-Encoding: xchunked",
    "chunkedx": b"Transfer-Encoding: chunkedx",
    "quoted chunked": b'Transfer-Encoding: "chunked"',
    "chunked with a parameter": b"Transfer-Encoding: chunked;q=1",
    "chunked and a comma": b"Transfer-Encoding: chunked,",
    "a comma and chunked": b"Transfer-Encoding: ,chunked",
    "no coding": b"Transfer-Encoding:",
    "chunked after a vertical tab": b"Transfer-Encoding: \x0bchunked",
    "chunked before a vertical tab": b"Transfer-Encoding: chunked\x0b",
    "chunked after NUL": b"Transfer-Encoding: \x00chunked",
    "chunked after a form feed": b"Transfer-Encoding: \x0cchunked",
    "chunked before a no-break space": b"Transfer-Encoding: chunked\xa0",
    "chunked after DEL": b"Transfer-Encoding: \x7fchunked",
    "chunked folded": b"Transfer-Encoding:\r\n chunked",
    "chunked with a tab before the colon": b"Transfer-Encoding\t: chunked",
    "chunked with a space before the colon": b"Transfer-Encoding : chunked",
    "chunked with a space before the name": b" Transfer-Encoding: chunked",
    "chunked behind a bare CR": b"X: y\rTransfer-Encoding: chunked",
    "chunked behind a bare LF": b"X: y\nTransfer-Encoding: chunked",
    "chunked behind CR CR LF": b"X: y\r\r\nTransfer-Encoding: chunked",
    "two lines, chunked and identity": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "two lines, identity and chunked": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "two lines, chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "chunked and a colon": b"Transfer-Encoding: : chunked",
    "a name with NUL": b"Transfer-Encoding\x00: chunked",
    "a name in quotes": b'"Transfer-Encoding": chunked',
}.items():
    CODINGS[f"{_name}, alone"] = refused(head(_line) + CHUNKED_HIDDEN, 501 if _name in _UNKNOWN_CODINGS else 400)
    CODINGS[f"{_name}, with a length"] = refused(head(LENGTH_OF_BOTH, _line) + NOTHING_THEN_HIDDEN)


CODINGS["underscored chunked, alone"] = Row(
    head(b"Transfer_Encoding: chunked") + CHUNKED_HIDDEN, (200, 400), (("POST", "/r", ""),)
)
CODINGS["underscored chunked, with a length"] = sent(
    head(LENGTH_OF_BOTH, b"Transfer_Encoding: chunked") + NOTHING_THEN_HIDDEN, NOTHING_THEN_HIDDEN
)


def _chunks(text: bytes) -> bytes:
    return head(CODING) + text


_SIZE: Final = b"%x" % len(HIDDEN)

CHUNKS: Final = {
    "no chunk but the last": sent(_chunks(b"0\r\n\r\n")),
    "two chunks": sent(_chunks(b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"), b"abcde"),
    "a size in capitals": sent(_chunks(b"A\r\n0123456789\r\n0\r\n\r\n"), b"0123456789"),
    "a size with leading zeroes": sent(_chunks(b"00000002\r\nab\r\n0000\r\n\r\n"), b"ab"),
    "an extension": sent(_chunks(b"2;a=b\r\nab\r\n0\r\n\r\n"), b"ab"),
    "an extension without a value": sent(_chunks(b"2;a\r\nab\r\n0\r\n\r\n"), b"ab"),
    "an extension of the last chunk": sent(_chunks(b"2\r\nab\r\n0;a=b\r\n\r\n"), b"ab"),
    "an extension that looks like a chunk": sent(_chunks(b"2;0=0\r\nab\r\n0\r\n\r\n"), b"ab"),
    "a long extension": sent(_chunks(b"2;%b\r\nab\r\n0\r\n\r\n" % (b"a" * 4000)), b"ab"),
    "an extension in quotes": sent(_chunks(b'2;a="b;c"\r\nab\r\n0;x\r\n\r\n'), b"ab"),
    "a trailer": sent(_chunks(b"2\r\nab\r\n0\r\nX-T: 1\r\n\r\n"), b"ab"),
    "a trailer that was announced": sent(head(CODING, b"Trailer: X-T") + b"2\r\nab\r\n0\r\nX-T: 1\r\n\r\n", b"ab"),
    "a trailer that names a client": sent(_chunks(b"2\r\nab\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"), b"ab"),
    "a trailer that names a host": sent(_chunks(b"2\r\nab\r\n0\r\nHost: b\r\n\r\n"), b"ab"),
    "a trailer and a hidden request behind it": Row(
        _chunks(b"0\r\nX-T: 1\r\n\r\n" + HIDDEN), (200, 451), (("POST", "/r", ""),)
    ),
    "a trailer that would frame elsewhere": sent(_chunks(b"2\r\nab\r\n0\r\nTransfer_Encoding: x\r\n\r\n"), b"ab"),
    "a chunk and a hidden request behind it": Row(_chunks(NOTHING_THEN_HIDDEN), (200, 451), (("POST", "/r", ""),)),
}
for _name, _text in {
    "a size of nothing": b"\r\n" + HIDDEN,
    "a size with a sign": b"+%b\r\n%b\r\n0\r\n\r\n" % (_SIZE, HIDDEN),
    "a size below zero": b"-1\r\n" + HIDDEN,
    "a size with 0x": b"0x%b\r\n%b\r\n0\r\n\r\n" % (_SIZE, HIDDEN),
    "a size with an underscore": b"0_2\r\nab\r\n0\r\n\r\n",
    "a size with a space before": b" 2\r\nab\r\n0\r\n\r\n",
    "a size with a space behind": b"2 \r\nab\r\n0\r\n\r\n",
    "a size with a tab behind": b"2\t\r\nab\r\n0\r\n\r\n",
    "a size with a comma": b"2,\r\nab\r\n0\r\n\r\n",
    "a size of 2^64": b"10000000000000000\r\n" + HIDDEN,
    "a size of 2^64 and some": b"100000000000000%b\r\n%b\r\n0\r\n\r\n" % (_SIZE, HIDDEN),
    "a size of 2^64 and two": b"10000000000000002\r\nab\r\n0\r\n\r\n" + HIDDEN,
    "a size that is no number": b"g\r\n" + HIDDEN,
    "a size in Arabic digits": "\u0662\r\nab\r\n0\r\n\r\n".encode(),
    "a size before a bare LF": b"2\nab\r\n0\r\n\r\n",
    "a size before a bare CR": b"2\rab\r\n0\r\n\r\n",
    "a size before CR CR LF": b"2\r\r\nab\r\n0\r\n\r\n",
    "an extension with a bare LF": b"2;a\nab\r\n0\r\n\r\n",
    "an extension with a bare CR": b"2;a\rb\r\nab\r\n0\r\n\r\n",
    "an extension with NUL": b"2;\x00\r\nab\r\n0\r\n\r\n",
    "an extension in open quotes": b'2;a="\r\nab\r\n0\r\n\r\n',
    "data longer than the size": b"2\r\nabc\r\n0\r\n\r\n" + HIDDEN,
    "data shorter than the size": b"3\r\nab\r\n0\r\n\r\n" + HIDDEN,
    "data before a bare LF": b"2\r\nab\n0\r\n\r\n" + HIDDEN,
    "data before a bare CR": b"2\r\nab\r0\r\n\r\n" + HIDDEN,
    "data before two other bytes": b"2\r\nabXX0\r\n\r\n" + HIDDEN,
    "the last chunk before a bare LF": b"2\r\nab\r\n0\n\n" + HIDDEN,
    "the last chunk before CR LF LF": b"2\r\nab\r\n0\r\n\n" + HIDDEN,
    "the last chunk before CR and another byte": b"2\r\nab\r\n0\r\n\rX" + HIDDEN,
    "a trailer with a space before the colon": b"0\r\nX : y\r\n\r\n" + HIDDEN,
    "a trailer folded": b"0\r\nX: y\r\n z\r\n\r\n" + HIDDEN,
    "a trailer that would frame": b"0\r\nContent-Length: 9\r\n\r\n" + HIDDEN,
    "a trailer of a coding": b"0\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED_HIDDEN,
    "trailers without end": b"0\r\n" + b"X-T: %b\r\n" % (b"1" * 100) * 200 + b"\r\n" + HIDDEN,
    "an extension after a space": b"2 ;a=b\r\nab\r\n0\r\n\r\n" + HIDDEN,
    "an extension of nothing": b"2;\r\nab\r\n0\r\n\r\n" + HIDDEN,
    "an extension behind a space": b"2; a=b\r\nab\r\n0\r\n\r\n" + HIDDEN,
    "an extension of the last chunk with a bare LF": b"0;a\n\r\n" + HIDDEN,
    "a trailer with NUL": b"0\r\nX: \x00\r\n\r\n" + HIDDEN,
    "a trailer with a bare LF": b"0\r\nX: y\nZ: z\r\n\r\n" + HIDDEN,
}.items():
    CHUNKS[_name] = broken_off(_chunks(_text))
