"""Mail by TLS, at once or after STARTTLS: only to a server that proves its name; one conversation carries many messages."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.notify import mail, texts
from app.notify.lines import Line
from tests.notify.post import Post
from tests.serving import free_port

NOW = datetime.now(UTC)


class Counting(Post):
    """Counts the conversations."""

    def __init__(self) -> None:
        super().__init__()
        self.greeted: list[Any] = []

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        session.host_name = name
        self.greeted.append((session.peer, session.ssl is not None))
        return answers


def certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate of its own for an address, and its key."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")]),
    )
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), NOW, NOW + timedelta(1))
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    signed = made.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    (folder / "cert").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert", folder / "key"


@contextmanager
def secure(scheme: str, folder: Path, address: str) -> Iterator[tuple[Counting, mail.Smtp]]:
    cert, key = certificate(folder, address)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    post, port = Counting(), free_port()
    how: dict[str, Any] = (
        {"ssl_context": context} if scheme == "smtps" else {"tls_context": context, "require_starttls": True}
    )
    controller = Controller(post, hostname="127.0.0.1", port=port, **how)
    controller.start()
    office = mail.post_office(f"{scheme}://127.0.0.1:{port}", folder)
    assert isinstance(office, mail.Smtp)
    assert office.context
    office.context.load_verify_locations(cert)
    try:
        yield post, office
    finally:
        office.rest()
        controller.stop()


def message(number: int) -> Any:
    said = texts.Said("Subject", "text", "<p>html</p>")
    return mail.build(said, ("Reader", "reader@example.org"), "earmark@um.example", f"{number:032}", NOW)


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_messages_go_by_tls_in_one_conversation(scheme: str, tmp_path: Path) -> None:
    with secure(scheme, tmp_path, "127.0.0.1") as (post, office):
        for number in range(3):
            office.send(message(number), Line())
        assert len(set(post.uids())) == 3
        assert len({peer for peer, _ in post.greeted}) == 1
        assert scheme == "smtps" or post.greeted[-1][1], "what counts is said inside TLS"


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_nothing_goes_to_a_server_that_has_another_name(scheme: str, tmp_path: Path) -> None:
    with secure(scheme, tmp_path, "127.0.0.2") as (post, office):
        with pytest.raises(mail.Transient, match="certificate"):
            office.send(message(1), Line())
        assert not post.taken
