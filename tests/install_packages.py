"""Make sure what the tests need is there: PostgreSQL, pdftotext, curl, Chromium, nginx. Take Debian's where possible, else say so."""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

NGINX = Path(__file__).parent.parent / "var" / "nginx"


def missing() -> list[str]:
    """The Debian packages that are needed and not there."""
    server = bool(os.environ.get("PG_BIN") or glob.glob("/usr/lib/postgresql/*/bin/initdb") or shutil.which("initdb"))
    there = {"postgresql": server, "poppler-utils": bool(shutil.which("pdftotext")), "curl": bool(shutil.which("curl"))}
    there |= {"chromium-headless-shell": bool(chromium()), "libatomic1": driver_runs(), "nginx": bool(nginx())}
    return [package for package, found in there.items() if not found]


def chromium() -> str | None:
    """The browser that the pages are tried in: Debian's Chromium without windows where there is one, a third quicker."""
    known = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, known)), None)


def nginx() -> str | None:
    """The proxy that several instances are tried behind."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", str(NGINX)])
    return os.environ.get("NGINX") or shutil.which("nginx", path=path)


def driver_runs() -> bool:
    """Whether what drives the browser starts: it brings a program that needs a library Debian may not have yet."""
    program = compute_driver_executable()[0]
    return subprocess.run([program, "--version"], check=False, capture_output=True).returncode == 0


def unpack_nginx() -> None:
    """Put Debian's program into var/nginx: its package, once installed, listens on every address at every start."""
    with tempfile.TemporaryDirectory() as folder:
        apt = ["apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", "nginx"]
        subprocess.run(apt, cwd=folder, check=False, stdout=subprocess.DEVNULL)
        for package in Path(folder).glob("nginx_*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
            NGINX.mkdir(parents=True, exist_ok=True)
            shutil.copy2(Path(folder) / "usr/sbin/nginx", NGINX)


def main() -> None:
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    packages = missing()
    if packages and shutil.which("apt-get") and (not root or shutil.which("sudo")):
        print(f"Installing {' and '.join(packages)} for the tests, once.", file=sys.stderr)
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
        whole = [one for one in packages if one != "nginx"]
        for args in (["update"], ["install", "-y", "--no-install-recommends", *whole] if whole else ["check"]):
            if subprocess.run([*apt, *args], check=False, stdout=subprocess.DEVNULL).returncode:
                break
    if not nginx() and shutil.which("apt-get"):
        unpack_nginx()
    if still := missing():
        sys.exit(
            f"The tests need more. On Debian: sudo apt-get install {' '.join(still)} (or set PG_BIN, CHROMIUM, NGINX)."
        )


if __name__ == "__main__":
    main()
