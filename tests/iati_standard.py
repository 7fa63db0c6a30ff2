"""IATI's own schema and test files of 2.03, which ours are held against: got once, by hash, and never installed or committed."""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(sys.prefix) / "share" / "pyiati"
SCHEMA = FOLDER / "standard" / "2-03" / "schemas" / "iati-activities-schema.xsd"
_KEPT = ("standard/2-03/schemas/", "test_data/2-03/ssot-activity-xml-pass/", "test_data/2-03/ssot-activity-xml-fail/")
_PIP = ("download", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--no-binary", ":all:")


def examples(kind: str) -> list[Path]:
    """IATI's own activity files that are valid (`pass`) or not (`fail`)."""
    return sorted((FOLDER / "test_data" / "2-03" / f"ssot-activity-xml-{kind}").rglob("*.xml"))


def main() -> None:
    if SCHEMA.is_file():
        return
    wanted = ["--no-build-isolation", "--requirement", str(ROOT / "requirements-standards.txt")]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", *_PIP, *wanted, "--dest", folder], check=True)
        (archive,) = Path(folder).glob("*.tar.gz")
        unpack(archive, FOLDER)


def unpack(archive: Path, folder: Path) -> None:
    """The files we want of the archive, each under its own name inside the folder; links and other places are left out."""
    with tarfile.open(archive) as files:
        for member in files:
            place = member.name.partition("/iati/resources/")[2]
            data = files.extractfile(member) if member.isfile() and place.startswith(_KEPT) else None
            if data is None or ".." in PurePosixPath(place).parts:
                continue
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(data.read())


if __name__ == "__main__":
    main()
