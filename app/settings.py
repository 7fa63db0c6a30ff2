"""Settings from the environment, read once at start. Every one has a row in the README."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "rules"


class SettingsError(Exception):
    """A setting that cannot be used, in a sentence for the person who starts the service."""


@dataclass(frozen=True, slots=True)
class Oidc:
    """The identity provider; `roles` maps its groups to ours, one of `strong` must stand in `acr` or `amr`."""

    issuer: str
    client_id: str
    client_secret: str
    roles_claim: str
    roles: Mapping[str, str]
    strong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says; `today` is fixed in demo mode only, else None for the clock."""

    host: str
    port: int
    var: Path
    database_url: str
    framework: str
    demo: bool
    today: date | None
    public_url: str = ""
    local_login: bool = False
    oidc: Oidc | None = None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    requests_per_minute: int = 1200
    files: str = ""
    keep_days: int = 90
    smtp_url: str = ""
    mail_from: str = "earmark@localhost"
    deliver: bool = True
    drain: int = 0
    telemetry: str = ""
    lease: int = 60
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    metrics_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @property
    def demo_file(self) -> Path:
        return self.var / "demo.json"


def is_loopback(host: str) -> bool:
    """Whether a host name or address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _flag(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "").strip().lower()
    if text not in ("", "0", "1", "no", "yes", "false", "true"):
        raise SettingsError(f"{name} is '{text}'; write 1 or 0.")
    return text in ("1", "yes", "true")


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `env`, or a SettingsError that names the first one that cannot be used."""
    demo = _flag(env, "EARMARK_DEMO")
    host = env.get("EARMARK_HOST", "127.0.0.1")
    if demo and not is_loopback(host):
        raise SettingsError(f"The demo has known accounts and listens on loopback only; EARMARK_HOST is {host}.")
    port = env.get("EARMARK_PORT", "8000")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise SettingsError(f"EARMARK_PORT is '{port}'; a number from 1 to 65535 is needed.")
    fixed = env.get("EARMARK_TODAY", "")
    if fixed and not demo:
        raise SettingsError("EARMARK_TODAY fixes the date in the demo only; unset it or set EARMARK_DEMO=1.")
    try:
        today = date.fromisoformat(fixed) if fixed else None
        if today and not 2000 <= today.year <= 2100:
            raise ValueError
    except ValueError:
        raise SettingsError(f"EARMARK_TODAY is '{fixed}'; a date such as 2026-11-23 is needed.") from None
    var = Path(env.get("EARMARK_VAR") or ROOT / "var").absolute()
    return Settings(
        host=host,
        port=int(port),
        var=var,
        database_url=env.get("EARMARK_DATABASE_URL") or f"sqlite:///{var / 'earmark.db'}",
        framework=env.get("EARMARK_FRAMEWORK", "dk-iom-2023-2026"),
        demo=demo,
        today=today,
        public_url=(env.get("EARMARK_PUBLIC_URL") or f"http://{host}:{port}").rstrip("/"),
        local_login=demo or _flag(env, "EARMARK_LOCAL_LOGIN"),
        oidc=_oidc(env),
        trusted_proxies=_networks("EARMARK_TRUSTED_PROXIES", env),
        requests_per_minute=_number(env, "EARMARK_REQUESTS_PER_MINUTE", 1200, 1),
        files=_files(env.get("EARMARK_FILES") or f"file://{var / 'files'}"),
        keep_days=_number(env, "EARMARK_KEEP_DAYS", 90, 1),
        smtp_url=_smtp(env.get("EARMARK_SMTP_URL", "")),
        mail_from=_sender(env.get("EARMARK_MAIL_FROM", "")),
        deliver=env.get("EARMARK_DELIVER", "") == "" or _flag(env, "EARMARK_DELIVER"),
        telemetry=env.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/"),
        drain=_number(env, "EARMARK_DRAIN_SECONDS", 0, 0),
        lease=_number(env, "EARMARK_DELIVERY_LEASE", 60, 1),
        webhook_networks=_networks("EARMARK_WEBHOOK_NETWORKS", env),
        metrics_networks=_networks("EARMARK_METRICS_NETWORKS", env, "127.0.0.0/8,::1"),
    )


def _files(place: str) -> str:
    scheme, _, path = place.partition("://")
    if scheme not in ("file", "s3") or not path or (scheme == "file" and not path.startswith("/")):
        raise SettingsError(f"EARMARK_FILES is '{place}'; use file:///folder or s3://bucket/path.")
    return place


def _smtp(url: str) -> str:
    known = ("smtp", "smtps", "smtp+starttls")
    if url and urlsplit(url).scheme not in known:
        raise SettingsError(f"EARMARK_SMTP_URL begins with {'://, '.join(known)}://.")
    return url


def _sender(address: str) -> str:
    if address and (address.count("@") != 1 or not address.isprintable() or " " in address):
        raise SettingsError(f"EARMARK_MAIL_FROM is '{address}'; an address such as earmark@um.dk is needed.")
    return address or "earmark@localhost"


def _number(env: Mapping[str, str], name: str, usual: int, least: int) -> int:
    text = env.get(name) or str(usual)
    if not text.isdecimal() or int(text) < least:
        raise SettingsError(f"{name} is '{text}'; a whole number from {least} is needed.")
    return int(text)


def _networks(name: str, env: Mapping[str, str], usual: str = "") -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(one.strip()) for one in (env.get(name) or usual).split(",") if one.strip())
    except ValueError as error:
        raise SettingsError(f"{name} lists addresses or networks: {error}.") from None


def _oidc(env: Mapping[str, str]) -> Oidc | None:
    """The identity provider's settings: all of those it cannot do without, or none."""
    issuer = env.get("EARMARK_OIDC_ISSUER", "")
    if not issuer:
        return None
    needed = ("EARMARK_OIDC_CLIENT_ID", "EARMARK_OIDC_CLIENT_SECRET", "EARMARK_OIDC_ROLES")
    missing = [name for name in needed if not env.get(name)]
    if missing:
        raise SettingsError(f"With EARMARK_OIDC_ISSUER, {' and '.join(missing)} must be set too.")
    pairs = [one.strip().partition("=") for one in env["EARMARK_OIDC_ROLES"].split(",") if one.strip()]
    if not all(group and sign and role for group, sign, role in pairs):
        raise SettingsError("EARMARK_OIDC_ROLES is written group=role,group=role.")
    return Oidc(
        issuer,
        env["EARMARK_OIDC_CLIENT_ID"],
        env["EARMARK_OIDC_CLIENT_SECRET"],
        env.get("EARMARK_OIDC_ROLES_CLAIM") or "roles",
        {group: role for group, _, role in pairs},
        tuple((env.get("EARMARK_OIDC_STRONG") or "mfa").split()),
    )
