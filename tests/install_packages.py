"""Make sure what the tests need is there: PostgreSQL, pdftotext, curl, Chromium. Install Debian's where that can be done, else say so."""

import glob
import os
import shutil
import subprocess
import sys

from playwright._impl._driver import compute_driver_executable


def missing() -> list[str]:
    """The Debian packages that are needed and not there."""
    server = bool(os.environ.get("PG_BIN") or glob.glob("/usr/lib/postgresql/*/bin/initdb") or shutil.which("initdb"))
    there = {"postgresql": server, "poppler-utils": bool(shutil.which("pdftotext")), "curl": bool(shutil.which("curl"))}
    there |= {"chromium": bool(chromium()), "libatomic1": driver_runs()}
    return [package for package, found in there.items() if not found]


def chromium() -> str | None:
    """The browser that the pages are tried in."""
    known = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, known)), None)


def driver_runs() -> bool:
    """Whether what drives the browser starts: it brings a program that needs a library Debian may not have yet."""
    program = compute_driver_executable()[0]
    return subprocess.run([program, "--version"], check=False, capture_output=True).returncode == 0


def main() -> None:
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    packages = missing()
    if packages and shutil.which("apt-get") and (not root or shutil.which("sudo")):
        print(f"Installing {' and '.join(packages)} for the tests, once.", file=sys.stderr)
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
        for args in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            if subprocess.run([*apt, *args], check=False, stdout=subprocess.DEVNULL).returncode:
                break
    if still := missing():
        sys.exit(f"The tests need more. On Debian: sudo apt-get install {' '.join(still)} (or set PG_BIN, CHROMIUM).")


if __name__ == "__main__":
    main()
