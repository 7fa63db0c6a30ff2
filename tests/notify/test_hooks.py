"""Webhooks: where they may go, how long a receiver may take, and the signature it checks."""

import base64
import contextlib
import hashlib
import hmac
import socket
import time
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from app.notify import hooks
from app.notify.mail import Transient
from tests.notify.receiving import authority, counting, receiver

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LOOPBACK = [ip_network("127.0.0.0/8")]

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


WRONG = [
    *("http://example.org/x", "https://user@example.org/", "https://user:pass@example.org/", "https://@example.org/"),
    *("https://127.0.0.1/", "https://[::1]/", "https://example.org:22/", "https://example.org:0/"),
    *("https://example.org:99999/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "https:///x"),
    *("https://example.org/#x", "https://exa mple.org:x/", "https://example.org/\r\nX: y", "https://example.org/\t"),
    *("https://example.org\\\\@127.0.0.1/", "https://ex\u00e6mple.org/", "https://\uff11\uff12\uff17.0.0.1/"),
    *("https://127\u30020\u30020\u30021/", "https://2130706433/", "https://0x7f000001/", "https://017700000001/"),
    *("https://127.1/", "https://0177.0.0.1/", "https://0x7f.1/", "https://127.0.0.1./", "https://1.2.3.4.5/"),
    *("https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[2606:2800:21f::1%25eth0]/", "https://[::1"),
    *("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[v1.x]/", "https://localhost/"),
    *("https://localhost./", "https://a.localhost/", "https://intranet/", "https://example.org%00.x/"),
    *("https://a..example.org/", f"https://{'a' * 70}.example.org/", "https://-a.example.org/", ""),
]


@pytest.mark.parametrize("url", WRONG)
def test_an_address_that_no_webhook_may_have_is_refused_as_it_is_registered(url: str) -> None:
    assert hooks.fault_in(url)


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.org/earmark?team=1", "https://example.org", "https://EXAMPLE.org:8443/", "https://xn--exmple-qua.org/",
     "https://93.184.215.14/", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", "https://example.org./%C3%A6"],
)  # fmt: skip
def test_an_address_of_the_public_internet_can_be_registered(url: str) -> None:
    assert hooks.fault_in(url) is None


def parcel(url: str) -> hooks.Parcel:
    return hooks.Parcel(url, (hooks.new_secret(),), "a" * 32, b'{"type":"webhook.test"}')


def resolving(monkeypatch: pytest.MonkeyPatch, **answers: list[str]) -> list[str]:
    """A resolver that gives each name's answers one after the other; the names it was asked for. Addresses stay themselves."""
    real, asked = socket.getaddrinfo, []

    def look_up(host: str, port: int, *more: object, **named: object) -> list[tuple[object, ...]]:
        name = str(host).partition(".")[0]
        if name not in answers:
            return real(host, port, *more, **named)
        asked.append(host)
        given = answers[name].pop(0)
        family = socket.AF_INET6 if ":" in given else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (given, port))]

    monkeypatch.setattr(hooks.socket, "getaddrinfo", look_up)
    return asked


def test_nobody_on_this_machine_is_ever_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    private = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0"]
    asked = resolving(monkeypatch, private=list(private))
    written = ("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[fe80::1%25lo]", "0.0.0.0",
               "2130706433", "0x7f000001", "017700000001", "127.1", "0177.0.0.1", "0x7f.1", "127.0.0.1.", "localhost", "a@127.0.0.1",
               "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021")  # fmt: skip
    with counting() as found:
        for host in [*written, *["private.example"] * len(private)]:
            for scheme in ("https", "http"):
                with pytest.raises(Transient):
                    hooks.post(parcel(f"{scheme}://{host}:{found[0]}/"), NOON)
        assert found[1] == 0
    assert len(asked) == len(private)


def test_a_resolver_takes_numbers_for_addresses_and_they_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("2130706433", "0x7f000001", "017700000001", "127.1", "0177.0.0.1"):
        with pytest.raises(Transient, match="at no public address"):
            hooks.judged(host, 443)


def test_what_a_name_becomes_after_it_was_judged_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, rebinding=["127.0.0.2", "127.0.0.1"])
    with receiver(host="127.0.0.2") as judged, socket.create_server(("127.0.0.1", judged.port)) as other:
        hooks.post(parcel(f"http://rebinding.example:{judged.port}/x?y=1"), NOON, [ip_network("127.0.0.2/32")])
        assert [(one.path, one.headers["host"]) for one in judged.arrivals] == [
            ("/x?y=1", f"rebinding.example:{judged.port}")
        ]
        other.settimeout(0.05)
        with pytest.raises(TimeoutError):
            other.accept()
    assert asked == ["rebinding.example"]


def test_without_tls_only_what_the_operator_allows_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, public=["93.184.215.14"])
    with pytest.raises(Transient, match="at no public address"):
        hooks.post(parcel("http://public.example/"), NOON, LOOPBACK)


def test_a_redirect_is_not_followed() -> None:
    with counting() as inside:
        to = f"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:{inside[0]}/\r\nContent-Length: 0\r\n\r\n".encode()
        with (
            counting(lambda one: one.sendall(to) or one.recv(10_000)) as found,
            pytest.raises(Transient, match=r"^307$"),
        ):
            hooks.post(parcel(f"http://127.0.0.1:{found[0]}/"), NOON, LOOPBACK)
        assert (found[1], inside[1]) == (1, 0)


def test_an_answer_of_gigabytes_is_read_to_64_kb() -> None:
    sent = []

    def pour(one: socket.socket) -> None:
        one.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 9999999999\r\n\r\n")
        while True:
            sent.append(one.send(b"no\x00 " * 16_384))

    with counting(pour) as found, pytest.raises(Transient) as refused:
        hooks.post(parcel(f"http://127.0.0.1:{found[0]}/"), NOON, LOOPBACK)
    assert sum(sent) < 20_000_000, "what the system's buffers hold, and no more"
    assert str(refused.value).startswith("500 no no no")
    assert len(str(refused.value)) < 250


def drip(*parts: bytes) -> Any:
    def speak(one: socket.socket) -> None:
        for part in parts:
            one.sendall(part)
        while True:
            one.sendall(parts[-1])
            time.sleep(0.02)

    return speak


DRIPS = {
    "silence": lambda one: time.sleep(0.8),
    "headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "never yet": drip(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "body": drip(b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("kind", DRIPS)
def test_a_receiver_that_drips_is_cut_off(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "LONGEST", 0.3)
    with counting(DRIPS[kind]) as found:
        began = time.monotonic()
        with pytest.raises(Transient, match=r"longer than 0\.3 seconds"):
            hooks.post(parcel(f"http://127.0.0.1:{found[0]}/"), NOON, LOOPBACK)
        assert time.monotonic() - began < 5, "a receiver that never ends is not waited for"


def test_a_2xx_is_believed_before_its_body_is_read() -> None:
    with counting(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x")) as found:
        hooks.post(parcel(f"http://127.0.0.1:{found[0]}/"), NOON, LOOPBACK)


def test_tls_is_checked_against_the_name_though_the_connection_goes_to_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, hooks=["127.0.0.1"] * 3, other=["127.0.0.1"])
    trusted, certificate = authority(tmp_path, "hooks.example")
    with receiver(certificate) as found:
        for names, believed in ((["hooks", "other"], str(trusted)), (["hooks"], "")):
            monkeypatch.setenv("SSL_CERT_FILE", believed)
            hooks._trusted.cache_clear()
            for name in names:
                told = (
                    contextlib.nullcontext()
                    if (name, believed) == ("hooks", str(trusted))
                    else pytest.raises(Transient)
                )
                with told:
                    hooks.post(parcel(f"https://{name}.example:{found.port}/"), NOON, LOOPBACK)
        hooks._trusted.cache_clear()
        assert [one.headers["host"] for one in found.arrivals] == [f"hooks.example:{found.port}"]


def test_a_name_is_looked_up_once_and_any_private_address_of_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def rebinding(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(2, 1, 6, "", (one, port)) for one in ("93.184.215.14", "127.0.0.1")]

    monkeypatch.setattr(hooks.socket, "getaddrinfo", rebinding)
    with pytest.raises(Transient, match="at no public address"):
        hooks.judged("rebinding.example", 443)
    assert asked == ["rebinding.example"]


def test_a_receiver_finds_the_signature_of_standard_webhooks() -> None:
    secret = hooks.new_secret()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, b"msg_1.1700000000.{}", hashlib.sha256).digest()).decode()
    assert hooks.signature(secret, "msg_1", 1700000000, b"{}") == f"v1,{expected}"
