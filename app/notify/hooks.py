"""Webhooks: signed as Standard Webhooks says, sent only to addresses that were judged, to the address that was judged."""

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.notify.lines import Line
from app.notify.mail import Permanent, Transient
from app.notify.texts import one_line

Network = IPv4Network | IPv6Network
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
LONGEST = 20.0  # seconds for a whole attempt, however slowly its parts come
MOST_READ = 65_536
MOST_SAID = 200
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_NUMBER = re.compile("[0-9]+|0x[0-9a-f]*")
# Ways to write an IPv4 address inside an IPv6 one: what counts is the address inside.
_EMBEDDED = [
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
]
_NEVER = [
    ipaddress.ip_network(one)
    for one in ("64:ff9b:1::/48", "2001::/23", "fec0::/10", "fc00::/7", "fe80::/10", "ff00::/8", "192.88.99.0/24",
                "192.0.0.0/24", "100::/64", "5f00::/16", "3fff::/20")
]  # fmt: skip


def may_reach(address: IPv4Address | IPv6Address, allowed: Sequence[Network] = ()) -> bool:
    """Whether a webhook may be sent to an address: public, or in a network that the operator allows."""
    if any(address in network for network in allowed):
        return True
    if isinstance(address, IPv6Address):
        for network, shift in _EMBEDDED:
            if address in network:
                return may_reach(IPv4Address((int(address) >> shift) & 0xFFFFFFFF), allowed)
    if any(address in network for network in _NEVER):
        return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    return address.is_global and not special


def fault_in(url: str, allowed: Sequence[Network] = ()) -> str | None:
    """What is wrong with an address as it is written; None when it can be registered."""
    if not url.isascii() or any(sign <= " " or sign in "\x7f\\" for sign in url):
        return "Write the address in ASCII without spaces: a name as xn--..., other signs as %C3%A6."
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return "This is no address."
    if parts.scheme not in ("https", "http") or not host or "@" in parts.netloc or parts.fragment:
        return "A webhook is an https:// address without name, password or fragment."
    if parts.scheme == "http" and not allowed:
        return "A webhook is sent by https only."
    if port is not None and port not in (80, 443) and port < 1024:
        return "A webhook's port is 443 or above 1023, by http 80."
    return _fault_in_host(host, "[" in parts.netloc, allowed)


def _fault_in_host(host: str, bracketed: bool, allowed: Sequence[Network]) -> str | None:
    """What is wrong with a host: an address that is not public, or a name that some resolver takes for another one."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if bracketed or not _NAME.fullmatch(host) or len(host) > 253:
            return "This is no name of a host."
    else:
        fine = may_reach(address, allowed) and "%" not in host
        return None if fine else "This address is not a public one."
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return "An IPv4 address is written as four decimal numbers, 192.0.2.1, and a name does not end in a number."
    local = "." not in host.rstrip(".") or host.rstrip(".").endswith(".localhost")
    return "This name is of this machine or its neighbours." if local and not allowed else None


def judged(host: str, port: int, allowed: Sequence[Network] = (), secure: bool = True) -> str:
    """The address to connect to, looked up once; Transient where the name is unknown or any address it has is not public.

    Without TLS only the networks that the operator allows are reached.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Transient(f"The name {host} cannot be resolved: {error}") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    refused = [str(one) for one in addresses if not _may_go(one, allowed, secure)]
    if refused or not addresses:
        raise Transient(f"{host} is at no public address, where alone a webhook is sent.")
    return str(addresses[0])


def _may_go(address: IPv4Address | IPv6Address, allowed: Sequence[Network], secure: bool) -> bool:
    return may_reach(address, allowed) if secure else any(address in network for network in allowed)


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, uid: str, at: int, body: bytes) -> str:
    """`v1,` and the base64 of an HMAC-SHA256 over id, time and body (Standard Webhooks 1.0)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    made = hmac.new(key, f"{uid}.{at}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(made).decode()


@dataclass(frozen=True, slots=True)
class Parcel:
    """One webhook message: where to, the secrets both sides know, and what is said."""

    url: str
    secrets: tuple[str, ...]
    uid: str
    body: bytes


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates are believed: the usual authorities, or those in SSL_CERT_FILE. Reading them takes 50 ms: once."""
    return httpx.create_ssl_context()


def _on(line: Line) -> Callable[[str, Any], None]:
    """What tells a line of the connection, as it is opened and as TLS begins on it."""

    def told(event: str, about: Any) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            line.hold(about["return_value"].get_extra_info("socket"))

    return told


def post(parcel: Parcel, at: datetime, allowed: Sequence[Network] = (), line: Line | None = None) -> None:
    """Send it; a 2xx is the receiver's word that it has it. 410 is Permanent, everything else Transient."""
    line = line or Line()
    if fault := fault_in(parcel.url, allowed):
        raise Transient(fault)
    clock = threading.Timer(LONGEST, line.cut)
    clock.daemon = True
    clock.start()
    try:
        status, said = _answer(parcel, at, allowed, line)
    except httpx.HTTPError as error:
        over = f"It took longer than {LONGEST:g} seconds."
        raise Transient(over if line.is_cut else f"{type(error).__name__}: {error}") from None
    finally:
        clock.cancel()
    if status == httpx.codes.GONE:
        raise Permanent("410 Gone: the receiver wants no more.")
    if not httpx.codes.is_success(status):
        raise Transient(f"{status} {said}".strip())


def _answer(parcel: Parcel, at: datetime, allowed: Sequence[Network], line: Line) -> tuple[int, str]:
    """The status of the answer, and where it is no success how it begins."""
    parts = urlsplit(parcel.url)
    secure = parts.scheme == "https"
    host, port = str(parts.hostname), parts.port or (443 if secure else 80)
    address, stamp = judged(host, port, allowed, secure), int(at.timestamp())
    place = f"[{address}]" if ":" in address else address
    target = httpx.URL(f"{parts.scheme}://{place}:{port}{parts.path or '/'}{'?' + parts.query if parts.query else ''}")
    headers = {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "User-Agent": "Earmark",
        "webhook-id": parcel.uid,
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(signature(one, parcel.uid, stamp, parcel.body) for one in parcel.secrets),
    }
    more = {"sni_hostname": host, "trace": _on(line)}
    with (
        httpx.Client(verify=_trusted(), timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", target, content=parcel.body, headers=headers, extensions=more) as answer,
    ):
        return answer.status_code, "" if answer.is_success else _start_of(answer)


def _start_of(answer: httpx.Response) -> str:
    """The first words of a body, of which no more than 64 KB are read; what cannot be printed is left out."""
    read = b""
    for part in answer.iter_raw():
        read += part
        if len(read) >= MOST_READ:
            break
    text = read[:MOST_SAID].decode("utf-8", "replace")
    return one_line(text)
