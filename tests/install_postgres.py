"""Make sure a PostgreSQL server is there for the tests: install Debian's where that can be done, else say what is needed."""

import glob
import os
import shutil
import subprocess
import sys


def found() -> bool:
    return bool(os.environ.get("PG_BIN") or glob.glob("/usr/lib/postgresql/*/bin/initdb") or shutil.which("initdb"))


def main() -> None:
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not found() and shutil.which("apt-get") and (not root or shutil.which("sudo")):
        print("Installing PostgreSQL for the tests, once.", file=sys.stderr)
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
        for args in (["update"], ["install", "-y", "--no-install-recommends", "postgresql"]):
            if subprocess.run([*apt, *args], check=False, stdout=subprocess.DEVNULL).returncode:
                break
    if not found():
        sys.exit("The tests need a PostgreSQL server. On Debian: sudo apt-get install postgresql (or set PG_BIN).")


if __name__ == "__main__":
    main()
