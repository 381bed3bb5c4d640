import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joingate.core.audit_texts import personal

ADDRESSES = (
    "203.0.113.7",
    "from 203.0.113.7.",
    "203.0.113.0/24",
    "(203.0.113.7)",
    "http://203.0.113.7:8080/",
    "::ffff:203.0.113.7",
    "2001:db8::7",
    "2001:DB8:0:0:0:0:0:7, in the log",
    "[2001:db8::7]:443",
    "fe80::1%eth0",
    "2001:db8::/32",
    "ends with 2001:db8::7.",
    "::1",
    "\uff12\uff10\uff13.0.113.7",  # full-width digits
)
MAILS = (
    "someone@example.org",
    "<some.one@mail.example.org>",
    "write to someone@example.org.",
    "some+one@b\u00fccher.example",
    "someone\uff20example.org",  # full-width at sign
)
NEITHER = (
    "",
    "Cybersecurity Law, article 50",
    "Regulation (EU) 2022/2065, art. 9(2)",
    "2026.17.3",
    "version 1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3.400",
    "at 12:30:45",
    "std::string",
    "x::1y",
    ":: is the unspecified address",
    "00:1b:44:11:3a:b7",
    "user @ example",
    "@example.org",
    "someone@localhost",
    "\u7f51\u4fe1\u529e [2026] 17 \u53f7",
)


@pytest.mark.parametrize("text", ADDRESSES)
def test_an_ip_address_is_found(text: str) -> None:
    assert personal(text) == "an IP address"


@pytest.mark.parametrize("text", MAILS)
def test_a_mail_address_is_found(text: str) -> None:
    assert personal(text) == "a mail address"


@pytest.mark.parametrize("text", NEITHER)
def test_other_texts_are_let_be(text: str) -> None:
    assert personal(text) is None


@given(
    st.ip_addresses().filter(lambda address: int(address) > 0), st.sampled_from(("{}", "from {} on", "({}),", "{}."))
)
def test_every_address_is_found(address: ipaddress.IPv4Address | ipaddress.IPv6Address, around: str) -> None:
    assert personal(around.format(address)) == "an IP address"
    assert personal(around.format(address.exploded)) == "an IP address"
