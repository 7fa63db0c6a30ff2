"""`make container`: builds the image with buildah from a Debian of debootstrap, starts it read-only and tries it as people use it.

For a machine without a container engine, as root: buildah builds in a chroot, and what is built runs in a chroot in mounts of its own,
everything read-only but /srv/var, as the image's user. `ARGS=IMAGE` builds from another base, such as debian:bookworm-slim.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from app.settings import ROOT
from tests.serving import TODAY, free_port, is_ready

IMAGE, BASE = "localhost/earmark", "localhost/earmark-base"
USER = "10001"
GRACE = 20  # seconds; drain included
_INTO = """set -e
mount --bind "$1" "$1"; mount --bind "$2" "$1/srv/var"; mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
mount -o remount,bind,ro "$1"
root="$1"; user="$3"; shift 3
exec chroot --userspec="$user:$user" "$root" env -i -C /srv "$@"
"""


def run(*words: str) -> str:
    """What a program prints; it must succeed."""
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout.strip()


def install() -> None:
    """Debian's programs for it."""
    needed = [one for one in ("buildah", "debootstrap") if not shutil.which(one)]
    if needed:
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        subprocess.run(["apt-get", "-qq", "install", "-y", "--no-install-recommends", *needed], check=True)


def make_base() -> str:
    """A bare Debian 12 as an image, made once."""
    if not run("buildah", "images", "--noheading", "--filter", f"reference={BASE}"):
        with tempfile.TemporaryDirectory() as folder:
            run("debootstrap", "--variant=minbase", "bookworm", folder)
            for part in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"):
                shutil.rmtree(Path(folder, part))
                Path(folder, part).mkdir()
            made = run("buildah", "from", "scratch")
            run("cp", "-a", f"{folder}/.", run("buildah", "mount", made))
            run("buildah", "commit", "--quiet", "--rm", made, BASE)
    return BASE


def pip_conf() -> str:
    """The settings of pip that the environment holds, as a file; certificates are given beside it."""
    names = ("index_url", "extra_index_url", "trusted_host", "timeout")
    said = {name: os.environ.get(f"PIP_{name.upper()}", "") for name in names}
    lines = [f"{name.replace('_', '-')} = {value}" for name, value in said.items() if value]
    lines += ["cert = /run/secrets/ca.crt"] if os.environ.get("PIP_CERT") else []
    return "\n".join(["[global]", *lines, ""])


def build(base: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "pip.conf"
        secret.write_text(pip_conf())
        secrets = [f"--secret=id=pip.conf,src={secret}"]
        secrets += [f"--secret=id=ca.crt,src={os.environ['PIP_CERT']}"] if os.environ.get("PIP_CERT") else []
        how = ("--isolation=chroot", "--format=docker", "--layers", "--quiet")
        run("buildah", "build", *how, *secrets, f"--build-arg=BASE={base}", f"--tag={IMAGE}", ".")


def size_of(image: str) -> int:
    """The size of an image in MB, of all its layers."""
    return int(json.loads(run("buildah", "images", "--json", image))[0]["size"].split()[0].split(".")[0])


@contextlib.contextmanager
def unpacked() -> Iterator[tuple[str, dict[str, Any]]]:
    """The image's files, and what it says of itself."""
    made = run("buildah", "from", IMAGE)
    try:
        yield run("buildah", "mount", made), json.loads(run("buildah", "inspect", made))["Docker"]["config"]
    finally:
        run("buildah", "rm", made)


def start(root: str, about: dict[str, Any], var: Path, port: int, *command: str) -> subprocess.Popen[bytes]:
    """The image's command, or another, as its user, read-only but for /srv/var; its number is the service's own."""
    assert about["User"] == USER, about["User"]
    env = [*about["Env"], f"EARMARK_PORT={port}", "EARMARK_HOST=127.0.0.1", "EARMARK_DEMO=1", f"EARMARK_TODAY={TODAY}"]
    words = ["unshare", "--mount", "sh", "-c", _INTO, "into", root, str(var), USER, *env, *(command or about["Cmd"])]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL)


def try_out(port: int, accounts: dict[str, Any]) -> None:
    """What people do first, and what needs each of the libraries with compiled parts."""
    sample = json.loads((ROOT / "rules/dk-iom-2023-2026/examples/strong.json").read_text().replace("2026", "2027"))
    body = {**sample, "office": "IOM-NE"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:

        def ask(role: str, method: str, path: str, **more: Any) -> httpx.Response:
            headers = {"Authorization": f"Bearer {accounts[role]['token']}", **more.pop("headers", {})}
            answer = client.request(method, path, headers=headers, **more)
            assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
            return answer

        ref = ask("iom_focal_point", "POST", "/api/v1/proposals", json=body).json()["ref"]
        pdf = ask("auditor", "GET", "/api/v1/cycles/2026/review", headers={"Accept": "application/pdf"})
        assert pdf.content[:5] == b"%PDF-", "typst"
        paper = {"file": ("paper.pdf", pdf.content, "application/pdf")}
        ask("iom_focal_point", "POST", f"/api/v1/proposals/{ref}/attachments", files=paper)
        move = {"move": "submit"}
        assert (
            ask("iom_focal_point", "POST", f"/api/v1/proposals/{ref}/moves", json=move).json()["state"] == "submitted"
        )
        screening = ask("mfa_reviewer", "GET", f"/api/v1/proposals/{ref}/screening").json()
        assert screening["outcome"] == "eligible", screening["outcome"]
        assert ref in ask("mfa_reviewer", "GET", "/", headers={"Accept": "text/html"}).text
        workbook = ask("auditor", "GET", "/api/v1/cycles/2026/workbook?language=da")
        assert workbook.content[:2] == b"PK", "xlsxwriter"


def stopped(process: subprocess.Popen[bytes]) -> float:
    """Seconds from SIGTERM to the end."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(GRACE)
    return time.monotonic() - began


def smoke(root: str, about: dict[str, Any], var: Path) -> None:
    """Start, try, stop."""
    port, began = free_port(), time.monotonic()
    process = start(root, about, var, port)
    try:
        while not is_ready(port):
            assert process.poll() is None, "it ended instead of starting"
            assert time.monotonic() < began + 120, "it is not ready"
            time.sleep(0.1)
        print(f"ready {time.monotonic() - began:.1f} s after its start, demo included")
        health = about["Healthcheck"]["Test"][1:]
        assert start(root, about, var, port, *health).wait(20) == 0, "the health check"
        assert start(root, about, var, port, "touch", "/srv/app/x").wait(20) != 0, "it is read-only"
        aside = "import tempfile; tempfile.TemporaryFile().write(b'uploads are put aside so')"
        assert start(root, about, var, port, "python", "-c", aside).wait(20) == 0, "a place for what is put aside"
        try_out(port, json.loads((var / "demo.json").read_text()))
        print(f"tried; stopped {stopped(process):.1f} s after SIGTERM, draining included")
    finally:
        process.kill()


def main() -> None:
    if os.geteuid() != 0:
        sys.exit("make container needs root, for debootstrap and chroot; elsewhere: docker build .")
    install()
    base = sys.argv[1] if len(sys.argv) > 1 else make_base()
    began = time.monotonic()
    build(base)
    print(f"built in {time.monotonic() - began:.0f} s: {size_of(IMAGE)} MB", end="")
    print(f", of which the base {size_of(base)} MB" if base == BASE else "")
    with unpacked() as (root, about), tempfile.TemporaryDirectory() as var:
        os.chown(var, int(USER), int(USER))
        smoke(root, about, Path(var))
    print("The container does what it should.")


if __name__ == "__main__":
    main()
