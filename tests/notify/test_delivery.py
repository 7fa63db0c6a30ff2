"""Delivery against a real mail server: nothing lost, nothing invented, refusals seen, workers that die replaced."""

import socket
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from app.notify import mail
from app.services.rulebooks import Library, open_library
from app.settings import RULES
from tests.conftest import FRAMEWORK, copy_of
from tests.notify.post import mail_server, owe, rows, until, worker_of
from tests.serving import started


@pytest.fixture(scope="module")
def library() -> Library:
    return open_library(RULES, FRAMEWORK)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_everything_owed_is_delivered_once_and_refusals_are_seen(
    kind: str, filled: dict[str, Any], tmp_path: Path, library: Library
) -> None:
    with copy_of(kind, filled, tmp_path) as url, mail_server() as (post, smtp):
        post.answers["mfa-reviewer@demo.example"] = ["550 No such reader"]
        post.answers["mfa-reviewer-2@demo.example"] = ["451 Not now"]
        owe(url, 6)
        worker = worker_of(url, tmp_path, smtp, library)
        thread = threading.Thread(target=worker.run)
        thread.start()
        until(lambda: all(row.state != "waiting" for row in rows(url)), 20)
        worker.stop()
        thread.join(10)
        states = Counter(row.state for row in rows(url))
        assert states == {"sent": 11, "dead": 1}
        assert [row.error for row in rows(url) if row.state == "dead"] == ["550 No such reader"]
        assert len(post.taken) == len({number for number, _ in post.taken}) == 11
        assert {number.strip("<>").partition("@")[0] for number, _ in post.taken} < {row.uid for row in rows(url)}


def test_the_service_delivers_by_itself_into_files_where_there_is_no_server(
    filled: dict[str, Any], tmp_path: Path
) -> None:
    with copy_of("sqlite", filled, tmp_path) as url:
        owe(url, 1)
        with started(url, tmp_path, deliver="1"):
            until(lambda: all(row.state == "sent" for row in rows(url)), 20)
        assert {row.uid for row in rows(url)} <= {one.stem for one in (tmp_path / "mail").iterdir()}


def test_a_server_that_never_answers_stops_nothing(
    filled: dict[str, Any], tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf, copy_of("sqlite", filled, tmp_path) as url:
        owe(url, 1)
        worker = worker_of(url, tmp_path, f"smtp://127.0.0.1:{deaf.getsockname()[1]}", library)
        thread = threading.Thread(target=worker.run)
        thread.start()
        until(lambda: any(row.error for row in rows(url)), 10)
        worker.stop()
        thread.join(10)
        assert {row.state for row in rows(url)} == {"waiting"}, "it is tried again"
