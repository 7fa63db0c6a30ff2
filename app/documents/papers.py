"""The papers of a consultation: minutes, decision letter, and the desk officer's decision memo (indstilling)."""

from datetime import date
from typing import Any

from app.documents import Paper, heading, items, signature, table, text
from app.documents.words import day, dkk, grade, number, words
from app.domain.cycle import day_of
from app.domain.framework import Framework


def official(
    framework: Framework,
    language: str,
    title: str,
    dated: date,
    facts: list[tuple[str, str]],
    blocks: list[dict[str, Any]],
    foot: str,
    recipient: list[str],
) -> Paper:
    """A paper of the ministry: its letterhead, the framework's file number, the day in words, and what it says."""
    w = words(language)
    sender = [w["ministry"], w["department"], f"{w['file']} {framework.file_number}"]
    dated_in_words = day(dated, language)
    return Paper(language, title, sender, recipient, dated_in_words, dated, facts, blocks, foot, w["page"])


def _verdict(one: dict[str, Any], language: str) -> str:
    w = words(language)
    if one["decision"] == "defer" and one["to_cycle"]:
        return w["defer_to"].format(cycle=one["to_cycle"])
    return w[one["decision"]]


def _amounts(requested: dict[str, int], approved: dict[str, int], language: str) -> dict[str, Any]:
    w = words(language)
    years = sorted({*requested, *approved})
    rows = [[y, number(requested.get(y, 0), language), number(approved.get(y, 0), language)] for y in years]
    sums = [number(sum(one.values()), language) for one in (requested, approved)]
    return table([w["year"], f"{w['requested']} (DKK)", f"{w['approved']} (DKK)"], [*rows, [w["total"], *sums]], 2)


def minutes(said: dict[str, Any], framework: Framework, language: str) -> Paper:
    """The minutes as `services.papers.minutes` gives them."""
    w, head = words(language), said["consultation"]
    held = w["held_at"].format(day=day(date.fromisoformat(head["date"]), language), place=head["place"])
    facts = [(w["held"], held), (w["finance_act"], framework.finance_act_code)]
    if head["participants"]:
        facts.append((w["participants"], "; ".join(_named(one) for one in head["participants"])))
    if head["reason"]:
        facts.append((w["outside"], head["reason"]))
    if head["concluded_because"]:
        facts.append((w["late"], head["concluded_because"]))
    facts.append((w["rulebook"], f"{said['rulebook']['id']} {said['rulebook']['version']}"))
    after = {one["year"]: one for one in said["envelopes"]["after"]}
    money = [
        [
            f"{one['year']} ({w[one['status']]})",
            *(number(n, language) for n in (one["amount"], one["approved"])),
            *(number(after[one["year"]][key], language) for key in ("approved", "available")),
        ]
        for one in said["envelopes"]["before"]
    ]
    blocks = [
        heading(f"{w['money']} (DKK)"),
        table([w["year"], w["envelope"], w["before"], w["after"], w["left"]], money, 4),
        heading(w["decisions"]),
        table(
            [w["proposal"], w["decision"], f"{w['requested']} (DKK)", f"{w['approved']} (DKK)"],
            [
                [
                    f"{one['ref']} {one['title']}",
                    _verdict(one, language),
                    number(sum(one["requested"].values()), language),
                    number(sum(one["amounts"].values()), language),
                ]
                for one in said["decisions"]
            ],
            2,
            ["1", "auto", "auto", "auto"],
        ),
    ]
    for one in said["decisions"]:
        blocks += [heading(f"{one['ref']}: {_verdict(one, language)}"), text(one["title"])]
        blocks += [_amounts(one["requested"], one["amounts"], language)] if one["amounts"] else []
        blocks += [text(f"{w['reason']}: {one['reason']}")] if one["reason"] else []
        blocks += [text(f"{w['conditions']}:"), items(one["conditions"])] if one["conditions"] else []
        blocks += _corrections(one["corrections"], language)
    blocks += [heading(w["answers"]), *_answers(said["answers"], language)]
    title = w["minutes"].format(cycle=head["cycle"])
    dated = day_of(head["concluded_at"])
    foot = w["foot"].format(head=said["head"])
    return official(framework, language, title, dated, facts, blocks, foot, [w["iom"], w["focal_point"]])


def _corrections(corrections: list[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    """What was put right later, each under its own day: what was decided stands above it as it was."""
    w, blocks = words(language), []
    for one in corrections:
        blocks += [heading(w["correction"].format(day=day(day_of(one["at"]), language))), text(one["text"])]
        blocks.append(text(f"{w['reason']}: {one['reason']}"))
    return blocks


def _named(one: Any) -> str:
    if isinstance(one, str):
        return one
    more = ", ".join(filter(None, (one.get("title"), one.get("organisation"))))
    return f"{one['name']} ({more})" if more else str(one["name"])


def _answers(answers: list[dict[str, Any]], language: str) -> list[dict[str, Any]]:
    w = words(language)
    if not answers:
        return [text(w["unanswered"])]
    return [
        text(
            w[one["answer"]].format(
                name=one["by"]["name"], day=day(day_of(one["at"]), language), text=one["objection"] or ""
            )
        )
        for one in answers
    ]


def letter(said: dict[str, Any], framework: Framework, language: str) -> Paper:
    """The decision letter on one proposal as `services.papers.letter` gives it."""
    w, decision = words(language), said["decision"]
    held = w["held_at"].format(day=day(date.fromisoformat(said["date"]), language), place=said["place"])
    facts = [(w["subject"], said["title"]), (w["decision"], _verdict(said, language)), (w["consultation"], held)]
    total = dkk(sum(said["amounts"].values()), language)
    blocks = [text(w[f"letter_{decision}"].format(amount=total, cycle=said["to_cycle"]))]
    if decision == "approve":
        blocks += [_amounts(said["requested"], said["amounts"], language), text(w["subject_to"])]
    if said["reason"]:
        blocks += [heading(w["reason"]), text(said["reason"])]
    if said["conditions"]:
        blocks += [heading(w["conditions"]), items(said["conditions"])]
    blocks += [text(w[f"next_{decision}"]), signature([w["regards"], "", said["signed_by"] or "", w["head"]])]
    blocks += _corrections(said["corrections"], language)
    title = w["letter"].format(ref=said["ref"])
    dated, foot = day_of(said["concluded_at"]), w["foot"].format(head=said["head"])
    return official(framework, language, title, dated, facts, blocks, foot, [w["iom"], said["office_name"]])


def agreement(said: dict[str, Any], framework: Framework, language: str) -> Paper:
    """The agreement as `services.agreements.described` gives it, with who has signed it."""
    w, terms = words(language), said["text"]
    total = dkk(sum(terms["amounts"].values()), language)
    period = " - ".join(day(date.fromisoformat(terms["period"][end]), language) for end in ("start", "end"))
    facts = [(w["subject"], terms["title"]), (w["office"], terms["office"]), (w["period"], period)]
    facts.append((w["finance_act"], terms["finance_act_code"]))
    opening = w["agreement_opening"].format(ministry=w["ministry"], iom=w["iom"], amount=total)
    blocks = [text(opening), heading(f"{w['money']} (DKK)"), _amounts(terms["amounts"], terms["amounts"], language)]
    blocks += [heading(w["conditions"]), items(terms["conditions"])] if terms["conditions"] else []
    blocks += [heading(w["clauses"]), items([one[language] for one in terms["clauses"]])]
    blocks += [heading(f"{w['budget']} (DKK)"), _budget(terms, language)]
    blocks += [heading(w["tranches"]), _tranches(terms["tranches"], language), heading(w["signatures"])]
    signed = [
        w["signed_for"].format(
            side=w[f"side_{one['side']}"],
            name=one["by"]["name"],
            day=day(day_of(one["at"]), language),
            sha256=one["sha256"],
        )
        for one in said["signatures"]
    ]
    blocks.append(items(signed) if signed else text(w["unsigned"]))
    title, foot = w["agreement"].format(ref=said["ref"]), w["foot_agreement"].format(sha256=said["sha256"])
    last = max((day_of(one["at"]) for one in said["signatures"]), default=None)
    dated = last or date.fromisoformat(terms["period"]["start"])
    return official(framework, language, title, dated, facts, blocks, foot, [w["iom"], terms["office"]])


def _budget(terms: dict[str, Any], language: str) -> dict[str, Any]:
    w = words(language)
    rows = [
        [str(line["year"]), w[line["category"]], line["activity_ref"] or "", number(line["amount"], language)]
        for line in terms["budget"]
    ]
    return table([w["year"], w["category"], w["activity"], w["amount"]], rows, 1)


def _tranches(tranches: list[dict[str, Any]], language: str) -> dict[str, Any]:
    w = words(language)
    if not tranches:
        return text(w["no_tranches"])
    rows = [
        [
            str(one["number"]),
            str(one["year"]),
            day(date.fromisoformat(one["due_on"]), language),
            one["condition"] or "",
            number(one["amount"], language),
        ]
        for one in tranches
    ]
    return table([w["tranche"], w["year"], w["due"], w["condition"], f"{w['amount']} (DKK)"], rows, 1)


def memo(said: dict[str, Any], framework: Framework, language: str) -> Paper:
    """The decision memo as `services.papers.memo` gives it; it stays within the ministry."""
    w = words(language)
    period = " - ".join(day(date.fromisoformat(said["period"][end]), language) for end in ("start", "end"))
    facts = [
        (w["subject"], said["title"]),
        (w["office"], said["office_name"]),
        (w["period"], period),
        (w["countries"], ", ".join(said["countries"])),
    ]
    blocks = [
        heading(w["recommendation"]),
        text(w[f"recommend_{said['recommendation']['verdict']}"]),
        text(said["recommendation"]["reason"]),
        text(said["recommendation"]["memo"]),
        heading(w["asked"]),
        text(said["summary"]),
        heading(f"{w['effect']} (DKK)"),
        _effect(said["envelopes"], language),
        heading(w["criteria"]),
        text(w["score"].format(total=grade(said["total"], language), score=grade(said["score"], language))),
        _criteria(said["criteria"], language),
    ]
    departures = [f"{one['letter']}: {comment}" for one in said["criteria"] for comment in one["comments"]]
    blocks += [heading(w["comments"]), items(departures)] if departures else []
    blocks += [heading(w["risks"]), _risks(said["risks"], language), heading(w["signed"])]
    by = said["recommendation"]
    signed = [w["recommended_by"].format(name=by["by"], day=day(day_of(by["at"]), language))]
    signed += [
        w["assessed_by"].format(name=one["by"], day=day(day_of(one["at"]), language)) for one in said["assessed"]
    ]
    title = w["memo"].format(ref=said["ref"])
    blocks.append(items(signed))
    return official(framework, language, title, day_of(by["at"]), facts, blocks, w["foot_internal"], [w["head"]])


def _effect(envelopes: list[dict[str, Any]], language: str) -> dict[str, Any]:
    w = words(language)
    rows = [
        [f"{one['year']} ({w[one['status']]})" if one["status"] else str(one["year"])]
        + [number(one[key], language) for key in ("amount", "available", "requested", "left")]
        for one in envelopes
    ]
    return table([w["year"], w["envelope"], w["available"], w["requested"], w["left_if"]], rows, 4)


def _criteria(criteria: list[dict[str, Any]], language: str) -> dict[str, Any]:
    w = words(language)
    rows = []
    for one in criteria:
        name = f"{one['letter']} {one['title']}" + (f" ({w['mandatory']})" if one["mandatory"] else "")
        grades = ", ".join(w["not_applicable"] if g is None else str(g) for g in one["grades"])
        grades += f" ({w['differs']})" if one["flagged"] else ""
        judged = w["not_applicable"]
        if one["mean"] is not None:
            judged = f"{grade(one['mean'], language)}: {w['met' if one['met'] else 'not_met']}"
        rows.append([name, w[one["screening"]], grades, judged])
    return table([w["criterion"], w["screening"], w["grades"], w["mean"]], rows, 0, ["1", "auto", "auto", "auto"])


def _risks(risks: list[dict[str, Any]], language: str) -> dict[str, Any]:
    w = words(language)
    if not risks:
        return text(w["no_risks"])
    rows = [
        [f"{w[one['category']]}: {one['description']}", f"{one['likelihood']} x {one['impact']}", one["mitigation"]]
        for one in risks
    ]
    return table([w["risk"], w["likelihood"], w["mitigation"]], rows, 0, ["3", "auto", "2"])
