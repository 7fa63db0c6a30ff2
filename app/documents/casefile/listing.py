"""The list of acts on paper (aktliste): what the index says, with the index's own SHA-256."""

from datetime import date
from typing import Any

from app.documents import Paper, heading, items, table, text
from app.documents.words import day, number, short_day, words
from app.domain.cycle import day_of


def listing(index: dict[str, Any], sha256: str) -> Paper:
    """The list of an index as `packing` makes it; `sha256` is that of `index.json`."""
    language = index["language"]
    w = words(language)
    as_of = day(day_of(index["as_of"]), language)
    facts = [
        (w["subject"], index["title"] or "-"),
        (w["office"], index["office"]),
        (w["state"], w[f"state_{index['state']}"]),
    ]
    facts += [(w["as_of"], as_of), (w["variant"], w[f"variant_{index['variant']}"])]
    facts.append((w["index_sha256"], sha256))
    if index["audit_head"]:
        facts.append((w["audit_head"], f"{index['audit_head']['seq']}: {index['audit_head']['hash']}"))
    head = [w["act"], w["date"], w["what"], w["by"], w["files"]]
    acts = table(head, [_row(one, language) for one in index["acts"]], 0, ["auto", "auto", "3", "2", "4"])
    sums = [f"{file['name']}: {file['sha256']}" for one in index["acts"] for file in _there(one)]
    blocks = [acts, heading("SHA-256"), items(sums) if sums else text("-"), text(w["how_to_check"])]
    sender = [w["ministry"], w["department"], f"{w['file']} {index['file_number']}"]
    title = w["case_file"].format(ref=index["ref"])
    foot = f"{index['ref']}, {sha256}"
    return Paper(
        language, title, sender, [], as_of, day_of(index["as_of"]), facts, blocks, foot, w["page"], keywords=[sha256]
    )


def _row(act: dict[str, Any], language: str) -> list[str]:
    w = words(language)
    if "left_out" in act:
        said = w["left_out"].format(reason=w[f"left_out_{act['left_out']}"])
        return [str(act["number"]), "-", f"{w['act_' + act['kind']]}: {said}", "-", "-"]
    by = act["by"]
    who = w["by_service"] if by is None else w[f"role_{by['role']}"] + (f", {by['name']}" if by["name"] else "")
    files = "; ".join(_file(one, language) for one in act["files"])
    return [str(act["number"]), short_day(date.fromisoformat(act["date"]), language), act["what"], who, files or "-"]


def _file(file: dict[str, Any], language: str) -> str:
    w = words(language)
    if "left_out" in file:
        return w["left_out"].format(reason=w[f"left_out_{file['left_out']}"])
    if "fault" in file:
        return f"{file['name']} ({w['fault_' + file['fault']]})"
    return f"{file['name']} ({number(file['size'], language)} B)"


def _there(act: dict[str, Any]) -> list[dict[str, Any]]:
    return [file for file in act.get("files", []) if "sha256" in file]
