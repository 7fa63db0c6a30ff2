"""Every kind of message, made from the demo: whole, short, in both languages, with what belongs to it, and nothing remote."""

import re
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import update

from app.demo.examples import of_every_kind
from app.notify import texts
from app.notify.notices import NOTICES
from app.records import notices
from app.records.access_tables import person
from app.services import deliveries
from tests.notify.conftest import NOW, SENDER, Stage
from tests.serving import TODAY, earmark

CALENDAR = {"planned": "REQUEST", "moved": "REQUEST", "uninvited": "CANCEL", "cancelled": "CANCEL"}


def made_in(stage: Stage, language: str) -> dict[str, EmailMessage]:
    stage.tx.execute(update(person).values(disabled_at=None))  # the demo's people read what the demo tells
    found = {}
    for kind, number in of_every_kind(stage.tx, NOW.at).items():
        rows = notices.messages(stage.tx, [number])
        found[kind] = deliveries.mail_of(stage.tx, rows, language, stage.library, SENDER, NOW)
    return found


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_kind_can_be_looked_at(stage: Stage, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "render", lambda paper: paper.title.encode())
    made = made_in(stage, language)
    assert list(made) == list(NOTICES)
    for kind, message in made.items():
        plain, html = (message.get_body((form,)) for form in ("plain", "html"))
        assert plain, kind
        assert html, kind
        said, page = plain.get_content(), html.get_content()
        assert len(message["Subject"]) <= texts.LONGEST, kind
        assert SENDER.address in said, kind
        assert "{" not in message["Subject"] + said + page.partition("<body")[2], kind
        assert "None" not in message["Subject"] + said.partition("\n\n")[0], kind
        assert ".." not in said, kind
        assert not re.search(r"\n\n\n", said.replace("\r", "")), kind
        assert not re.search(r"<(img|script|link|iframe)|url\(|src=", page), kind
        assert f'<html lang="{language}">' in page
        attached: list[Any] = list(message.iter_attachments())
        change = CALENDAR.get(kind.partition(".")[2]) if NOTICES[kind].invitation else None
        assert [part.get_param("method") for part in attached if part.get_content_type() == "text/calendar"] == (
            [change] if change else []
        ), kind
        assert [part for part in attached if part.get_content_type() == "application/pdf"] == (
            attached if NOTICES[kind].decision else []
        ), kind


def test_the_preview_prints_one_message_and_knows_what_there_is() -> None:
    unknown = earmark("messages", "preview", "--kind", "proposal.corected")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "did you mean 'proposal.corrected'?" in unknown.stderr
    asked = ("messages", "preview", "--kind", "consultation.cancelled", "--language", "da")
    one = earmark(*asked, EARMARK_DEMO="1", EARMARK_TODAY=str(TODAY))
    assert one.returncode == 0, one.stderr
    assert one.stdout.splitlines()[0].startswith("Konsultation 2027 aflyst: 16. februar 2027")
    assert one.stdout.rstrip().endswith("[cancellation.ics]")
