"""Checking a case file from its own bytes: nothing missing, added or changed, and what the domain hashed hashes as it says."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import ValidationError

from app.documents.casefile import FORMAT, INDEX, LISTING, SUMS, NotCaseFile
from app.documents.casefile.index import Index
from app.documents.casefile.opening import opened
from app.encoding import canonical

_FIRST = "0" * 64
_SUM = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]{1,120})")


@dataclass(slots=True)
class Findings:
    """What was verified, in a few lines, and every discrepancy. `known` are the hashes by which the service knows things."""

    verified: list[str] = field(default_factory=list)
    discrepancies: list[str] = field(default_factory=list)
    ref: str | None = None
    known: dict[str, str] = field(default_factory=dict)
    head: tuple[int, str] | None = None


def verify(data: bytes) -> Findings:
    """Check a case file's bytes; NotCaseFile for what is none."""
    files = opened(data)
    if INDEX not in files or SUMS not in files:
        raise NotCaseFile(f"It has no {INDEX if INDEX not in files else SUMS}.")
    found = Findings()
    found.discrepancies += [f"{name} cannot be read as it was written." for name, raw in files.items() if raw is None]
    whole = {name: raw for name, raw in files.items() if raw is not None}
    found.discrepancies += _sum_faults(whole.get(SUMS, b""), whole, set(files))
    index = _index(whole.get(INDEX, b""), found)
    if index is None:
        return found
    found.ref = index.ref
    found.discrepancies += _listing_faults(index, whole, set(files))
    sha256 = hashlib.sha256(whole[INDEX]).hexdigest()
    if LISTING in whole and sha256.encode() not in whole[LISTING]:
        found.discrepancies.append(f"{LISTING} does not bear the SHA-256 of {INDEX}: it is the list of another index.")
    acts, listed = len(index.acts), len(index.files)
    found.verified.append(f"{index.ref}, {index.variant}, as of {index.as_of:%Y-%m-%d}: {acts} acts, {listed} files.")
    found.verified.append(f"SHA-256 of {INDEX}: {sha256}")
    _check_known(index, found)
    _check_signatures(index, whole, found)
    _check_log(index, whole, found)
    return found


def _index(raw: bytes, found: Findings) -> Index | None:
    try:
        said = orjson.loads(raw)
        other = not isinstance(said, dict) or said.get("format") != FORMAT
        if other and not found.discrepancies:
            raise NotCaseFile(f"Its {INDEX} is not one of format {FORMAT}.")
        return Index.model_validate(said)
    except (ValueError, ValidationError):
        found.discrepancies.append(f"{INDEX} cannot be read as an index; nothing else could be checked against it.")
        return None


def _sum_faults(raw: bytes, whole: Mapping[str, bytes], names: set[str]) -> Iterator[str]:
    """What SHA256SUMS says otherwise than the files are; it names every file but itself, once."""
    summed: dict[str, str] = {}
    for line in raw.decode("ascii", "replace").splitlines():
        match = _SUM.fullmatch(line)
        if match is None or match[2] in summed:
            yield f"{SUMS} has a line that is no sum, or a file twice."
            continue
        summed[match[2]] = match[1]
    yield from (f"{name} is not in {SUMS}." for name in sorted(names - {SUMS} - set(summed)))
    yield from (f"{name} stands in {SUMS} and is missing." for name in sorted(set(summed) - names))
    for name in sorted(set(summed) & set(whole)):
        if hashlib.sha256(whole[name]).hexdigest() != summed[name]:
            yield f"{name} is not what {SUMS} says (SHA-256 differs)."


def _listing_faults(index: Index, whole: Mapping[str, bytes], names: set[str]) -> Iterator[str]:
    """What the index lists otherwise than the files are: numbers, names, sizes, hashes, and what the store had lost."""
    if [act.number for act in index.acts] != list(range(1, len(index.acts) + 1)):
        yield "The acts in the index are not numbered one after another."
    listed = {str(file.name): file for file in index.files}
    if len(listed) != len(index.files):
        yield "The index lists a file twice."
    yield from (f"{name} is not in the index." for name in sorted(names - set(listed) - {INDEX, LISTING, SUMS}))
    missing = sorted(({LISTING} | set(listed)) - names)
    yield from (f"{name} is in the index and missing." for name in missing)
    for name, file in listed.items():
        raw = whole.get(name)
        if raw is not None and len(raw) != file.size:
            yield f"{name} has {len(raw):,} bytes; the index says {file.size:,}."
        if raw is not None and hashlib.sha256(raw).hexdigest() != file.sha256:
            yield f"{name} is not what the index says (SHA-256 differs)."
    for file in (one for act in index.acts for one in act.files):
        if file.fault is not None:
            yield f"{file.name} was {file.fault} in the store of files when the case file was made."


def _check_known(index: Index, found: Findings) -> None:
    """What the service itself knows by a hash, such as a snapshot, must be those bytes."""
    for file in (one for act in index.acts for one in act.files if one.of is not None):
        found.known[str(file.of)] = str(file.stored_sha256)
        if file.sha256 is not None and file.sha256 != file.stored_sha256:
            found.discrepancies.append(f"{file.name} is not the {file.of} that the service stored (SHA-256 differs).")
    kinds = sorted({of.partition("/")[0] for of in found.known})
    found.verified.append(
        f"{len(found.known)} texts and files held against the hashes they are stored by: {', '.join(kinds) or 'none'}."
    )


def _check_signatures(index: Index, whole: Mapping[str, bytes], found: Findings) -> None:
    """Every signature names the very text that is there, and the agreement the very snapshot."""
    signatures = [(name, said) for name, said in _told(index, whole, "signature", found)]
    for name, said in signatures:
        known = found.known.get(str(said.get("of")))
        if known is not None and said.get("sha256") != known:
            found.discrepancies.append(f"{name} was given on another text than the {said.get('of')!a} that is here.")
    for name, said in _told(index, whole, "agreement", found):
        snapshot = said.get("snapshot")
        told = snapshot if isinstance(snapshot, dict) else {}
        if told.get("sha256") != found.known.get(f"snapshot/{told.get('number')}"):
            found.discrepancies.append(f"{name} is about another snapshot than those that are here.")
    found.verified.append(f"{len(signatures)} signatures read against the text they name.")


def _told(index: Index, whole: Mapping[str, bytes], kind: str, found: Findings) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON of every file of a kind of act."""
    for file in (one for act in index.acts if act.kind == kind for one in act.files if one.sha256 is not None):
        name = str(file.name)
        if not name.endswith(".json") or name not in whole:
            continue
        try:
            said = orjson.loads(whole[name])
        except ValueError:
            said = None
        if isinstance(said, dict):
            yield name, said
        else:
            found.discrepancies.append(f"{name} cannot be read.")


def _check_log(index: Index, whole: Mapping[str, bytes], found: Findings) -> None:
    """The entries of the log of acts: each hashes as it says, and follows from the one before where that is here too."""
    for file in (one for act in index.acts if act.kind == "audit" for one in act.files if one.sha256 is not None):
        name, links, seq, previous = str(file.name), 0, 0, _FIRST
        lines = whole.get(name, b"").splitlines()
        for line in lines:
            said = _entry(line)
            if said is None or said["seq"] <= seq:
                found.discrepancies.append(
                    f"{name}: after entry {seq} stands one that cannot be read or is out of order."
                )
                continue
            if said["seq"] == seq + 1:
                links += 1
                if said["previous"] != previous:
                    found.discrepancies.append(f"{name}: entry {said['seq']} does not follow from the entry before.")
            seq, previous = said["seq"], said["hash"]
            found.known[f"audit/{seq}"] = previous
            if hashlib.sha256(canonical({k: v for k, v in said.items() if k != "hash"})).hexdigest() != previous:
                found.discrepancies.append(f"{name}: entry {seq} is not what was written: its hash is another.")
        head = index.audit_head
        if head is not None and (seq > head.seq or (seq == head.seq and previous != head.hash)):
            found.discrepancies.append(f"{name} does not fit the head of the log that the index names.")
        found.verified.append(f"{len(lines)} entries of the audit log reckoned again, {links} with the one before.")
    if index.audit_head is not None:
        found.head = (index.audit_head.seq, index.audit_head.hash)
        found.verified.append(f"Head of the audit log: entry {index.audit_head.seq}, {index.audit_head.hash}")


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        said = orjson.loads(line)
    except ValueError:
        return None
    right = isinstance(said, dict) and type(said.get("seq")) is int
    return said if right and isinstance(said.get("hash"), str) and "previous" in said else None
