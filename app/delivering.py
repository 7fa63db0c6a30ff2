"""The worker that delivers: it takes messages on a lease, sends them with no transaction open, and settles what was sent.

One runs inside `serve` unless EARMARK_DELIVER is 0; more run as `python -m app deliver`. All of them may be killed at any moment.
One thread alone writes: it settles what the hands have finished and takes as much as there are free hands for, together.
"""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue

import typer

from app.db import Database, Tx, open_database
from app.logs import logger, set_up
from app.notify import hooks, mail
from app.notify.lines import Line
from app.services import clock, deliveries, reminders
from app.services.clock import Now
from app.services.deliveries import Free, Ready, Sender, Taken
from app.services.rulebooks import Library, open_library
from app.settings import RULES, Settings, read_settings

log = logger("delivery")
MAILS, HOOKS = 8, 4  # hands: a mail server that is deaf does not hold up webhooks, nor the other way round
PAUSE = 0.5  # seconds between looks at the outbox when nothing is due
GRACE = 7.0  # seconds that what is being sent has to come to its end when the worker must stop
REMIND_EVERY = 60.0


@dataclass(slots=True, eq=False)
class Attempt:
    """One thing that a hand sends, and in the end what came of it."""

    taken: Taken
    line: Line = field(default_factory=Line)
    ready: Ready = field(default_factory=lambda: Ready(()))
    failure: Exception | None = None


class Worker:
    """Delivers until it is told to stop; `stop` lets what is being sent come to its end."""

    def __init__(self, settings: Settings, database: Database, library: Library) -> None:
        self.settings, self.database, self.library = settings, database, library
        self.office = mail.post_office(settings.smtp_url, settings.var / "mail")
        self.sender = Sender(settings.mail_from, settings.public_url)
        self.stopping, self.awake = threading.Event(), threading.Event()
        self.given: SimpleQueue[Attempt | None] = SimpleQueue()
        self.done: SimpleQueue[Attempt] = SimpleQueue()
        self.at_work: list[Attempt] = []
        self.unsettled: list[Attempt] = []
        self.longest = settings.lease * 2 / 3  # an attempt ends before anybody else may take its messages
        self.reminded = -REMIND_EVERY

    def stop(self) -> None:
        self.stopping.set()
        self.awake.set()

    def run(self) -> None:
        """Deliver what is due, again and again; a failure of the database is logged and tried again."""
        for number in range(MAILS + HOOKS):  # daemons: the end of the process waits for no one's name server
            threading.Thread(target=self._hand, name=f"delivery-{number}", daemon=True).start()
        while not self.stopping.is_set():
            self._guarded(self._remind)
            self._guarded(self.once)
            self._cut_overdue()
            if not self.at_work:
                self.office.rest()
            self.awake.wait(PAUSE)
        self._end()

    def once(self) -> None:
        """Settle what is finished, and take what is due for the hands that are free."""
        self.awake.clear()
        self._gather()
        now, free = self._now(), self._free()
        if not self.unsettled:
            with self.database.reading() as tx:
                if not deliveries.waiting(tx, now.at, free):
                    return
        with self.database.transaction() as tx:
            dead, left = self._settle(tx, now.at)
            taken = [] if self.stopping.is_set() else deliveries.take(tx, now, self._lease(), free)
        self.unsettled = left
        if dead:
            log.warning("messages dead", messages=dead)
        for attempt in map(Attempt, taken):
            self.at_work.append(attempt)
            self.given.put(attempt)

    def _gather(self) -> None:
        while not self.done.empty():
            attempt = self.done.get()
            self.at_work.remove(attempt)
            self.unsettled.append(attempt)

    def _settle(self, tx: Tx, now: datetime) -> tuple[list[int], list[Attempt]]:
        """Write down what came of every finished attempt; the messages that are dead now, and what must wait for its turn."""
        held = deliveries.hold(tx, [number for one in self.unsettled for number in one.taken.numbers])
        dead: list[int] = []
        left = [one for one in self.unsettled if not held.issuperset(one.taken.numbers)]
        for one in sorted(self.unsettled, key=lambda one: one.taken.webhook or 0):  # webhooks are locked in one order
            if one not in left:
                dead += self._settle_one(tx, one, now)
        return dead, left

    def _settle_one(self, tx: Tx, one: Attempt, now: datetime) -> list[int]:
        """As `_settle`, by itself: what cannot be written down is tried again when its lease is over, and stops nobody."""
        try:
            with tx.begin_nested():
                return deliveries.settle(tx, one.ready, one.failure, now)
        except Exception:
            log.exception("settling failed", messages=one.taken.numbers)
            return []

    def _free(self) -> Free:
        busy = frozenset(one.taken.webhook for one in self.at_work if one.taken.webhook is not None)
        return Free(MAILS - (len(self.at_work) - len(busy)), HOOKS - len(busy), busy)

    def _lease(self) -> timedelta:
        return timedelta(seconds=self.settings.lease)

    def _now(self) -> Now:
        return clock.now(self.settings.today)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception("delivery failed")

    def _cut_overdue(self) -> None:
        for one in self.at_work:
            if time.monotonic() - one.line.since > self.longest:
                one.line.cut()

    def _end(self) -> None:
        """Wait for what is being sent, as long as there is grace; what is cut then is tried again by another worker."""
        ends = time.monotonic() + GRACE
        while (self.at_work or self.unsettled) and time.monotonic() < ends + 1:
            self.awake.wait(0.1)
            self._guarded(self.once)
            if time.monotonic() > ends:
                for one in self.at_work:
                    one.line.cut()
        for _ in range(MAILS + HOOKS):
            self.given.put(None)
        self.office.rest()

    def _hand(self) -> None:
        """Send what is given, one after the other."""
        while (attempt := self.given.get()) is not None:
            self._deliver(attempt)
            self.done.put(attempt)
            self.awake.set()

    def _deliver(self, attempt: Attempt) -> None:
        """Send one message, or those of a digest; the attempt holds what came of it."""
        numbers = attempt.taken.numbers
        attempt.ready = Ready(numbers)
        try:
            with self.database.reading() as tx:
                attempt.ready = deliveries.ready(tx, numbers, self.library, self.sender, self._now())
            self._send(attempt)
        except (mail.Permanent, mail.Transient) as error:
            attempt.failure = error
        except Exception as error:  # what cannot be made is seen, tried again, and dead in the end
            log.exception("message failed", messages=numbers)
            attempt.failure = mail.Transient(f"It could not be made: {type(error).__name__}.")

    def _send(self, attempt: Attempt) -> None:
        one = attempt.ready
        if one.mail is not None:
            self.office.send(one.mail, attempt.line)
        elif one.parcel is not None:
            hooks.post(one.parcel, datetime.now(UTC), self.settings.webhook_networks, attempt.line)

    def _remind(self) -> None:
        """Owe the reminders that are due, once a minute; nobody's turn to write is taken where nothing is."""
        if time.monotonic() - self.reminded < REMIND_EVERY:
            return
        self.reminded = time.monotonic()
        now, framework = self._now(), self.library.current.framework
        with self.database.reading() as tx:
            if not reminders.due(tx, framework, now):
                return
        with self.database.transaction() as tx:
            reminders.owe_due(tx, framework, now)


def deliver() -> None:
    """Deliver messages until SIGTERM; several may run."""
    settings = read_settings()
    set_up()
    worker = Worker(
        settings, open_database(settings.database_url, lasting=True), open_library(RULES, settings.framework)
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    typer.echo("Delivering.")
    thread = threading.Thread(target=worker.run, name="delivery")
    thread.start()
    while thread.is_alive():  # a signal's handler must not wait for a lock that its own thread holds
        thread.join(1)
