"""Settings from the environment, read once at start. Every one has a row in the README."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "rules"


class SettingsError(Exception):
    """A setting that cannot be used, in a sentence for the person who starts the service."""


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
    )
