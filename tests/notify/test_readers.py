"""Whom every kind of notice reaches, from DOMAIN.md section 7: kind by role, office and country, each in their language."""

from typing import Any

import pytest
from sqlalchemy import insert, update

from app.domain.consultation import Verdict
from app.notify import outbox
from app.notify.notices import NOTICES
from app.records.notice_tables import message, preference
from app.services import consultations, decisions, deliveries
from app.services.consultations import Plan
from app.services.decisions import Sent
from app.services.deliveries import Free
from tests.notify.conftest import NOW, SENDER, Stage
from tests.serving import TODAY

SIDE = "sender niger niger2"
DECIDED = f"{SIDE} focal tunis mission"
OWING = "niger niger2 sender focal"
DESK = "en da"
TABLE = f"{DESK} head sender focal mission"
MEETING = {"cycle": 2027, "date": "2027-02-10", "place": "Geneva", "sequence": 1}
FIELD = {**MEETING, "offices": ["IOM-NE"], "countries": [{"code": "TN"}]}
WINDOW = {"cycle": 2027, "opens_on": "2026-10-01", "closes_on": "2026-12-31", "days": 1, "titles": "A draft"}
# Kind: who reads it of a proposal by IOM Niger that touches Tunisia; then what else must be known of it.
READERS: dict[str, Any] = {
    "proposal.submit": (f"{SIDE} {DESK}",),
    "proposal.screened_out": (f"{SIDE} {DESK}",),
    "proposal.deadline_moved": (SIDE,),
    "proposal.return": (SIDE,),
    "proposal.admit": (f"{SIDE} {DESK}",),
    "proposal.recommend": ("head",),
    "proposal.approve": (DECIDED,),
    "proposal.reject": (DECIDED,),
    "proposal.defer": (DECIDED,),
    "proposal.corrected": (DECIDED,),
    "proposal.withdraw": (f"{DESK} head",),
    "proposal.withdraw_approved": (f"{DECIDED} {DESK} head",),
    "proposal.terminate": (f"{DECIDED} finance",),
    "proposal.lapse": (SIDE,),
    "proposal.complete": (f"{OWING} {DESK}",),
    "proposal.close": (OWING,),
    "clarification.asked": (SIDE,),
    "clarification.answered": (DESK,),
    "consultation.planned": (TABLE, MEETING),
    "consultation.moved": (TABLE, MEETING),
    "consultation.uninvited": ("mission", MEETING),
    "consultation.cancelled": (TABLE, MEETING),
    "minutes.to_confirm": ("sender focal", MEETING),
    "technical_meeting.planned": (f"{TABLE} niger niger2 tunis", FIELD),
    "technical_meeting.moved": (f"{TABLE} niger niger2 tunis", FIELD),
    "technical_meeting.uninvited": ("tunis", FIELD),
    "technical_meeting.cancelled": (f"{TABLE} niger niger2 tunis", FIELD),
    "agreement.to_sign": ("head", {"signed_by": "iom"}),
    "amendment.to_sign": ("head sender focal",),
    "payment.prepared": ("finance",),
    "payment.released": ("sender focal",),
    "payment.received": ("finance",),
    "report.submitted": (DESK,),
    "report.returned": (OWING,),
    "report.accepted": (OWING,),
    "evaluation.delivered": ("head", {"title": "Mid-term evaluation"}),
    "evaluation.answered": (DESK, {"title": "Mid-term evaluation"}),
    "window.opens": ("niger niger2 tunisia sender focal", {**WINDOW, "offices": ["IOM-NE", "IOM-TN"]}),
    "window.closes": ("niger niger2 sender focal", {**WINDOW, "offices": ["IOM-NE"]}),
    "report.due": (OWING,),
    "report.overdue": (OWING,),
    "webhook.paused": ("niger", {"owner": "niger"}),
    "webhook.test": ("", {"owner": "niger"}),  # for the webhook alone
}
OF_NO_PROPOSAL = ("consultation", "minutes", "technical_meeting", "evaluation", "window", "webhook")


def test_every_kind_reaches_exactly_whom_it_is_for(stage: Stage) -> None:
    assert READERS.keys() == NOTICES.keys(), READERS.keys() ^ NOTICES.keys()
    ref = stage.submitted("IOM-NE", "TN")
    for kind, (names, *more) in READERS.items():
        nested = stage.tx.begin_nested()
        family, own = kind.partition(".")[0], not kind.startswith(OF_NO_PROPOSAL)
        subject, facts = ref if own else f"{family}/1000", more[0] if more else {}
        facts = {**facts, "owner": stage.numbers[facts["owner"]]} if "owner" in facts else facts
        if kind.endswith(".cancelled"):  # it is for those who were invited, whatever it is about today
            outbox.owe(stage.tx, f"{family}.planned", subject, NOW.at, facts)
            stage.tx.execute(update(message).values(state="sent", attempts=1))
            facts = {**facts, "offices": [], "countries": []}
        before = stage.last()
        to = [stage.numbers[names]] if kind.endswith(".uninvited") else None
        outbox.owe(stage.tx, kind, subject, NOW.at, facts, ref if own else None, to=to)
        told = [one.name for one in stage.told(before)]
        assert sorted(told) == sorted(names.split()), kind
        nested.rollback()


def test_one_notice_is_read_by_each_in_their_own_language(stage: Stage) -> None:
    before, ref = stage.last(), stage.submitted("IOM-NE", "TN")
    said = {}
    for one in stage.told(before):
        made = deliveries.ready(stage.tx, [one.id], stage.library, SENDER, NOW).mail
        assert made
        said[one.name] = str(made["Subject"])
        assert made["To"].addresses[0].addr_spec == f"{one.name}@cast.example"
    assert said["da"] == f"{ref} er indsendt"
    assert {said.pop(name) for name in list(said) if name != "da"} == {f"{ref} has been submitted"}


HOMES = (("IOM-NE", "TN"), ("IOM-TN", "ML"), ("IOM-NE", "MA"))  # by office and country: Tunis, Bamako, no embassy
NEAR = {"IOM-NE": {"niger", "niger2"}, "IOM-TN": {"tunisia"}}
EMBASSY = {"TN": {"tunis"}, "ML": {"bamako"}, "MA": set()}


def test_twelve_decisions_reach_exactly_their_readers_at_the_conclusion_and_not_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is set on paper is what counts here; that it can be set is tried where papers are.
    monkeypatch.setattr(deliveries, "render", lambda paper: f"{paper.language} {paper.title}".encode())
    tx, head = stage.tx, stage.actor("head")
    about = {stage.recommended(*HOMES[i % 3]): (HOMES[i % 3], list(Verdict)[i // 4]) for i in range(12)}
    tx.execute(
        insert(preference).values(person_id=stage.numbers["mission"], language="da", digest=True, reminders=True)
    )
    before = stage.last()
    plan = Plan(2027, TODAY, "Geneva", [], "A test.")
    number = consultations.create(tx, stage.actor("en"), plan, stage.book, NOW)
    consultations.set_agenda(tx, stage.actor("en"), number, list(about), None, True, NOW)
    consultations.open_(tx, head, number, None, NOW)
    for ref, (_, verdict) in about.items():
        amounts = {2027: 1_000_000} if verdict is Verdict.APPROVE else {}
        sent = Sent(verdict, amounts, [], "Because.", 2028 if verdict is Verdict.DEFER else None)
        decisions.record(tx, head, number, ref, sent, None, True, stage.book, NOW)
    assert {one.kind for one in stage.told(before)} == {"consultation.planned"}, "nothing is told early"
    before = stage.last()
    decisions.conclude(tx, head, number, "A test.", None, stage.book, NOW)
    told = stage.told(before)
    for ref, ((office, country), verdict) in about.items():
        readers = [one.name for one in told if (one.kind, one.ref) == (f"proposal.{verdict}", ref)]
        assert sorted(readers) == sorted({"sender", "focal", "mission"} | NEAR[office] | EMBASSY[country]), ref
    assert {one.name for one in told if one.ref is None} == {"sender", "focal"}, "the minutes, to confirm"
    assert len(told) == 2 + sum(3 + len(NEAR[o]) + len(EMBASSY[c]) for (o, c), _ in about.values())
    assert [one for one in deliveries.take(tx, NOW, NOW.at - NOW.at, Free(200, 0)) if len(one.numbers) > 1] == [], (
        "at once, each by itself"
    )
    for one in told:
        if one.ref is not None:
            language = "da" if one.name == "mission" else "en"
            made = deliveries.ready(tx, [one.id], stage.library, SENDER, NOW).mail
            assert made
            assert one.ref in made["Subject"]
            letters = [(part.get_filename(), part.get_content()) for part in made.iter_attachments()]
            title = {"en": "Decision on", "da": "Beslutning om"}[language]
            said = f"{language} {title} {one.ref}".encode()
            assert letters == [(f"decision-{one.ref}.{language}.pdf", said)]
