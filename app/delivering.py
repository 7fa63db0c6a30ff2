"""The worker that delivers: it takes messages on a lease, sends them with no transaction open, and settles each by itself.

One runs inside `serve` unless EARMARK_DELIVER is 0; more run as `python -m app deliver`. All of them may be killed at any moment.
"""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import typer

from app.db import Database, open_database
from app.logs import logger, set_up
from app.notify import hooks, mail
from app.services import clock, deliveries, reminders
from app.services.deliveries import Ready, Sender
from app.services.rulebooks import Library, open_library
from app.settings import RULES, Settings, read_settings

log = logger("delivery")
PAUSE = 0.5  # seconds between looks at the outbox when nothing is due
REMIND_EVERY = 60.0


class Worker:
    """Delivers until it is told to stop; `stop` lets what is being sent come to its end."""

    def __init__(self, settings: Settings, database: Database, library: Library) -> None:
        self.settings, self.database, self.library = settings, database, library
        self.office = mail.post_office(settings.smtp_url, settings.var / "mail")
        self.sender = Sender(settings.mail_from, settings.public_url)
        self.stopping = threading.Event()
        self.reminded = 0.0

    def stop(self) -> None:
        self.stopping.set()

    def run(self) -> None:
        """Deliver what is due, again and again; a failure of the database is logged and tried again."""
        with ThreadPoolExecutor(deliveries.BATCH, thread_name_prefix="delivery") as pool:
            while not self.stopping.is_set():
                try:
                    self._remind()
                    busy = self.once(pool)
                except Exception:
                    log.exception("delivery failed")
                    busy = False
                if not busy:
                    self.stopping.wait(PAUSE)

    def once(self, pool: ThreadPoolExecutor) -> bool:
        """Deliver one batch; False when nothing was due."""
        now = self._now()
        with self.database.reading() as tx:
            if not deliveries.waiting(tx, now):
                return False
        with self.database.transaction() as tx:
            groups = deliveries.take(tx, now, timedelta(seconds=self.settings.lease))
        for one in [pool.submit(self._deliver, numbers) for numbers in groups]:
            one.result()
        return bool(groups)

    def _now(self) -> datetime:
        return clock.now(self.settings.today).at

    def _deliver(self, numbers: list[int]) -> None:
        """Send one message, or those of a digest, and write down what came of it."""
        try:
            with self.database.reading() as tx:
                one = deliveries.ready(tx, numbers, self.library, self.sender, self._now())
            failure = self._attempt(one)
        except Exception as error:  # what cannot be made is seen, tried again, and dead in the end
            log.exception("message failed", messages=numbers)
            one, failure = Ready(tuple(numbers)), mail.Transient(f"It could not be made: {type(error).__name__}.")
        with self.database.transaction() as tx:
            deliveries.settle(tx, one, failure, self._now())

    def _attempt(self, one: Ready) -> Exception | None:
        try:
            if one.mail is not None:
                self.office.send(one.mail)
            elif one.parcel is not None:
                hooks.post(one.parcel, datetime.now(UTC), self.settings.webhook_networks)
        except (mail.Permanent, mail.Transient) as error:
            return error
        return None

    def _remind(self) -> None:
        """Owe the reminders that are due, once a minute."""
        now = clock.now(self.settings.today)
        if now.at.timestamp() - self.reminded >= REMIND_EVERY:
            self.reminded = now.at.timestamp()
            with self.database.transaction() as tx:
                reminders.owe_due(tx, self.library.current.framework, now)


def deliver() -> None:
    """Deliver messages until SIGTERM; several may run."""
    settings = read_settings()
    set_up()
    worker = Worker(settings, open_database(settings.database_url), open_library(RULES, settings.framework))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    typer.echo("Delivering.")
    worker.run()
