"""A receiver of webhooks on this machine, and what it checks: real sockets, real TLS with an authority of our own."""

import base64
import hashlib
import hmac
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Arrival:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def uid(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Answers 204, unless `statuses` holds what it says to the next ones; `always` overrules both."""

    port: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    always: int | None = None


@contextmanager
def receiver(certificate: Path | None = None, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver by HTTP, or by HTTPS with that certificate and key."""
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.arrivals.append(Arrival(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(made.always or (made.statuses.pop(0) if made.statuses else 204), "So")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who refuses our certificate hangs up
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def counting(speak: Callable[[socket.socket], None] | None = None, host: str = "127.0.0.1") -> Iterator[list[int]]:
    """A listening socket that counts who comes: `[port, connections]`; `speak` answers each."""
    found = [0, 0]
    with socket.create_server((host, 0)) as listening:
        found[0] = listening.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while True:
                    one, _ = listening.accept()
                    found[1] += 1
                    with closing(one), suppress(OSError):
                        if speak:
                            speak(one)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def signed_by(secret: str, one: Arrival) -> bool:
    """What a receiver does by Standard Webhooks 1.0, written apart from ours."""
    key = base64.b64decode(secret.partition("_")[2])
    said = b".".join([one.uid.encode(), one.headers["webhook-timestamp"].encode(), one.body])
    expected = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in one.headers["webhook-signature"].split(" ")


def authority(folder: Path, *names: str) -> tuple[Path, Path]:
    """An authority's certificate, and a certificate with its key that it has given for these names and addresses."""
    now = datetime.now(UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    top = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of a test")])
    listed: list[x509.GeneralName] = []
    for name in names:
        try:
            listed.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            listed.append(x509.DNSName(name))
    files = folder / "authority.pem", folder / "receiver.pem"
    for own, subject, file in ((0, top, files[0]), (1, x509.Name([]), files[1])):
        made = x509.CertificateBuilder(top, subject, keys[own].public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        made = made.add_extension(x509.BasicConstraints(ca=not own, path_length=None), critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(keys[own].public_key()), critical=False)
        if own:
            issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key())
            made = made.add_extension(issuer, critical=False)
            made = made.add_extension(x509.SubjectAlternativeName(listed), critical=True)
        text = made.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(text + (keys[1].private_bytes(*form) if own else b""))
    return files
