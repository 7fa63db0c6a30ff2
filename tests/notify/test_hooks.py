"""Webhooks: where they may go, and the signature a receiver checks."""

import base64
import hashlib
import hmac
from ipaddress import ip_address, ip_network

import pytest

from app.notify import hooks
from app.notify.mail import Transient

NEVER = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *(
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd00::1",
        "fec0::1",
    ),
    *(
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
    ),
    *("2002:a00:1::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "100::1", "192.88.99.1"),
]


@pytest.mark.parametrize("address", NEVER)
def test_no_webhook_goes_to_an_address_that_is_not_public(address: str) -> None:
    assert not hooks.may_reach(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_a_public_address_may_be_reached(address: str) -> None:
    assert hooks.may_reach(ip_address(address))


def test_an_operator_may_allow_a_network_of_their_own() -> None:
    assert hooks.may_reach(ip_address("10.1.2.3"), [ip_network("10.1.0.0/16")])
    assert not hooks.may_reach(ip_address("10.2.2.3"), [ip_network("10.1.0.0/16")])


@pytest.mark.parametrize(
    "url",
    ["http://example.org/x", "https://user@example.org/", "https://127.0.0.1/", "https://[::1]/", "https://example.org:22/",
     "ftp://example.org/", "https:///x", "https://example.org/#x", "https://exa mple.org:x/"],
)  # fmt: skip
def test_an_address_that_no_webhook_may_have_is_refused_as_it_is_registered(url: str) -> None:
    assert hooks.fault_in(url)


def test_a_name_is_looked_up_once_and_any_private_address_of_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def rebinding(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(2, 1, 6, "", (one, port)) for one in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr(hooks.socket, "getaddrinfo", rebinding)
    with pytest.raises(Transient, match=r"127\.0\.0\.1"):
        hooks.judged("rebinding.example", 443)
    assert asked == ["rebinding.example"]


def test_a_receiver_finds_the_signature_of_standard_webhooks() -> None:
    secret = hooks.new_secret()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, b"msg_1.1700000000.{}", hashlib.sha256).digest()).decode()
    assert hooks.signature(secret, "msg_1", 1700000000, b"{}") == f"v1,{expected}"
