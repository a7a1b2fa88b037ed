"""Claim, commit, send, record: how messages leave the outbox, with any number of senders at once."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy.exc import InterfaceError, OperationalError

from grocery.db import transaction
from grocery.ending import is_told_to_end
from grocery.notify.extension import Backends, state
from grocery.notify.outcome import SendResult
from grocery.notify.sending.channels import Health
from grocery.notify.sending.claims import Claim, claim_due, give_back
from grocery.notify.sending.letters import write_letter
from grocery.notify.sending.records import Answered, expire_leases, record_results
from grocery.notify.sending.slots import Route, Slots
from grocery.origins import speaking_of
from grocery.running import running_app

log = logging.getLogger(__name__)

#: The last claim of a run. What is on its way then has GRACE_SECONDS, more than an SMS that hangs takes (12 s).
#: Together with the 5 s that a job may answer SMS from customers before, that stays below the job's own end. What is
#: done meanwhile begins within the run, so that its own 5 s at the most are part of the grace.
RUN_SECONDS = 30.0
GRACE_SECONDS = 13.0

# Threads that wait for a provider; measured, see benchmarks/notifying.py. A mail server is given fewer connections.
SMS_SLOTS = 16
MAIL_SLOTS = 4

# What is answered within this time after the first is recorded with it, in one transaction.
_GATHER_SECONDS = 0.02
_MEANWHILE_SECONDS = 1.0
# How soon a channel without due messages is looked at again while another one is busy.
_REST_SECONDS = 0.2
# PostgreSQL is away, or has chosen this transaction to end a deadlock; and how long to wait before the next try.
_DATABASE_AWAY = (OperationalError, InterfaceError)
_AGAIN_SECONDS = 0.5


def send_due(seconds: float = RUN_SECONDS, meanwhile: Callable[[], object] = lambda: None) -> Counter[str]:
    """Send what is due until nothing is, or `seconds` are over; counts the messages by their new status.

    `meanwhile` is called about once a second while providers are waited for; what it takes, messages wait.

    Stands at the edge, since it commits: after each claim, so that no connection is held while a provider takes its
    time, and after each handful of outcomes.
    """
    with transaction():
        expire_leases()
    sender = Sender(_routes(state().backends), seconds, meanwhile)
    try:
        sender.run()
    finally:
        sender.end()
    return sender.tally


def _routes(backends: Backends) -> tuple[Route, ...]:
    return (
        Route("sms", SMS_SLOTS, backends.sms.session, _send_sms),
        Route("email", MAIL_SLOTS, backends.mail.session, _send_mail),
    )


def _send_sms(session: Any, claim: Claim) -> SendResult:
    result: SendResult = session.send(claim.recipient, claim.body)
    return result


def _send_mail(session: Any, claim: Claim) -> SendResult:
    result: SendResult = session.send(write_letter(claim))
    return result


@dataclass
class _Lane:
    """One channel in this run.

    `wait_seconds` is what the last claim answered (see Haul), `next_claim_at` follows from it on the monotonic clock.
    """

    slots: Slots
    health: Health
    wait_seconds: float | None = 0.0
    next_claim_at: float = 0.0
    probe_id: int | None = None

    def claim(self) -> None:
        """Take as many messages as threads are free, and have them sent."""
        with transaction():
            haul = claim_due(self.slots.route.channel, self.slots.free)
        self.slots.send(haul.claims)
        if haul.is_probe and haul.claims:
            self.probe_id = haul.claims[0].id
        self.wait(haul.wait_seconds)

    def wait(self, seconds: float | None) -> None:
        """Claim no sooner than in so many seconds; None when nothing is due."""
        self.wait_seconds = seconds
        self.next_claim_at = time.monotonic() + (_REST_SECONDS if seconds is None else seconds)

    def expect_more(self) -> None:
        """An outcome was recorded, which may have made other messages due."""
        self.wait_seconds = self.wait_seconds or 0.0

    def hurry(self) -> None:
        """Do not rest, since nothing else is to be done; the rate is kept to all the same."""
        if self.wait_seconds == 0.0:
            self.next_claim_at = 0.0


class Sender:
    """One run over all channels at once: one that waits for its provider keeps no other waiting."""

    def __init__(self, routes: Iterable[Route], seconds: float, meanwhile: Callable[[], object] = lambda: None) -> None:
        app = running_app()  # threads have no context of their own
        self._answers: SimpleQueue[Answered] = SimpleQueue()
        self._lanes = {
            route.channel: _Lane(Slots(app, route, self._answers), Health(route.channel)) for route in routes
        }
        self._stop_at = time.monotonic() + seconds
        self._meanwhile = meanwhile
        self._meanwhile_at = time.monotonic() + _MEANWHILE_SECONDS
        self._unrecorded: list[Answered] = []
        self.tally: Counter[str] = Counter()

    def run(self) -> None:
        """Work until nothing is due or the time is over."""
        while True:
            if is_told_to_end():
                self._stop_at = min(self._stop_at, time.monotonic())
            self._claim()
            if self._busy:
                self._gather()
                self._record()
                self._do_meanwhile()
            elif self._is_over or all(lane.wait_seconds is None for lane in self._lanes.values()):
                return
            else:
                self._wait()
            if time.monotonic() > self._stop_at + GRACE_SECONDS:
                return

    def end(self) -> None:
        """Record what is known and give back what was not tried.

        What is still on its way is left to its lease: nobody knows what becomes of it.
        """
        try:
            untried = [claim for lane in self._lanes.values() for claim in lane.slots.take_back()]
            with suppress(Empty):
                while True:
                    self._take(self._answers.get_nowait())
            self._record()
            if untried:
                with transaction():
                    give_back(untried)
        finally:
            for lane in self._lanes.values():
                lane.slots.close()

    @property
    def _busy(self) -> int:
        return sum(lane.slots.busy for lane in self._lanes.values())

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._stop_at

    def _do_meanwhile(self) -> None:
        now = time.monotonic()
        if self._meanwhile_at <= now < self._stop_at:
            try:
                self._meanwhile()
            except _DATABASE_AWAY as error:  # as above: what is on its way is waited for
                log.warning("other work could not be done: %s", type(error.orig).__name__)
            self._meanwhile_at = time.monotonic() + _MEANWHILE_SECONDS

    def _claim(self) -> None:
        for lane in self._lanes.values():
            if lane.slots.free and not self._is_over and time.monotonic() >= lane.next_claim_at:
                try:
                    lane.claim()
                except _DATABASE_AWAY as error:  # messages may be on their way, whose outcomes must not be lost
                    log.warning("nothing could be claimed: %s", type(error.orig).__name__)
                    lane.wait(_AGAIN_SECONDS)

    def _wait(self) -> None:
        """Nothing is on its way, and only the rate keeps messages back."""
        for lane in self._lanes.values():
            lane.hurry()
        time.sleep(self._seconds_to_next_claim())

    def _seconds_to_next_claim(self) -> float:
        """0 when a claim may be made at once; when the time is over, until the run has to end."""
        if self._is_over:
            wake_at = self._stop_at + GRACE_SECONDS
        else:
            claims = [lane.next_claim_at for lane in self._lanes.values() if lane.slots.free]
            wake_at = min([self._stop_at, *claims])
        return max(0.0, wake_at - time.monotonic())

    def _gather(self) -> None:
        """Wait for the first answer, and a moment longer for more."""
        with suppress(Empty):
            self._take(self._answers.get(timeout=self._seconds_to_next_claim()))
            until = time.monotonic() + _GATHER_SECONDS
            while self._busy:
                self._take(self._answers.get(timeout=max(0.0, until - time.monotonic())))

    def _take(self, answered: Answered) -> None:
        self._unrecorded.append(answered)
        self._lanes[answered.claim.channel].slots.busy -= 1

    def _record(self) -> None:
        """Write the answers down, again and again while PostgreSQL is away: what is known must not become unknown."""
        while self._unrecorded:
            try:
                with transaction():
                    statuses = self._record_once()
            except _DATABASE_AWAY as error:
                if time.monotonic() > self._stop_at + GRACE_SECONDS:
                    raise
                log.warning(
                    "%d outcomes could not be recorded yet: %s", len(self._unrecorded), type(error.orig).__name__
                )
                time.sleep(_AGAIN_SECONDS)
            else:
                recorded, self._unrecorded = self._unrecorded, []
                self._note(recorded, statuses)

    def _record_once(self) -> list[str]:
        for channel, lane in self._lanes.items():
            own = [one for one in self._unrecorded if one.claim.channel == channel]
            is_probe = any(one.claim.id == lane.probe_id for one in own)
            lane.health.note([one.result for one in own], is_probe=is_probe)
        return record_results(self._unrecorded)

    def _note(self, recorded: list[Answered], statuses: list[str]) -> None:
        for lane in self._lanes.values():
            lane.expect_more()
        for one, status in zip(recorded, statuses, strict=True):
            claim = one.claim
            _tell(one, status)
            if claim.id == self._lanes[claim.channel].probe_id:
                self._lanes[claim.channel].probe_id = None
        self.tally.update(statuses)


def _tell(one: Answered, status: str) -> None:
    """Say what became of a message, among the lines of the request that it goes back to."""
    claim, took = one.claim, one.milliseconds
    # For mails their own Message-ID, which is not to be known: it is what a returned mail is believed by.
    provider_id = one.result.provider_id if claim.channel == "sms" else None
    ids = {"notification_id": claim.id, "order_id": claim.order_id, "provider_id": provider_id}
    with speaking_of(claim.origin, **ids):
        # Neither the text nor the provider's words about it: both may hold a code that signs someone in.
        log.info("notification %d, %s by %s: %s in %.0f ms", claim.id, claim.event, claim.channel, status, took)
