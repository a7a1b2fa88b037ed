"""Threads that wait for a provider, so that one that hangs over a message keeps no other from being sent."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from flask import Flask

from grocery.notify.outcome import Outcome, SendResult
from grocery.notify.sending.claims import Claim
from grocery.notify.sending.records import Answered
from grocery.origins import working_on
from grocery.tracing import Span, mark_failed

log = logging.getLogger(__name__)

# A goodbye to a mail server takes up to 2 s; who takes longer is left behind.
_GOODBYE_SECONDS = 3.0


@dataclass(frozen=True)
class Route:
    """How messages of a channel are sent: `open` a session, then `send` over it; `size` of them at the same time."""

    channel: str
    size: int
    open: Callable[[], AbstractContextManager[Any]]
    send: Callable[[Any, Claim], SendResult]


@dataclass
class Slots:
    """The threads of one route, each with a session of its own, started when they are needed.

    A thread touches no database. It puts what it got into `answers`, which routes may share.
    """

    app: Flask
    route: Route
    answers: "SimpleQueue[Answered]"
    busy: int = 0
    _waiting: "SimpleQueue[Claim | None]" = field(default_factory=SimpleQueue)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def free(self) -> int:
        return self.route.size - self.busy

    def send(self, claims: list[Claim]) -> None:
        """Have the messages sent; at most as many as are free."""
        for claim in claims:
            self.busy += 1
            self._waiting.put(claim)
            if len(self._threads) < self.busy:
                # No thread may keep the process of a job alive that has to end.
                thread = threading.Thread(target=self._work, name=f"send-{self.route.channel}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def take_back(self) -> list[Claim]:
        """The messages that no thread has begun to send."""
        claims = []
        try:
            while (claim := self._waiting.get_nowait()) is not None:
                claims.append(claim)
        except Empty:
            pass
        self.busy -= len(claims)
        return claims

    def close(self) -> None:
        """Let the threads say goodbye and end; while one still waits for its provider they are left to themselves."""
        for _ in self._threads:
            self._waiting.put(None)
        until = time.monotonic() + (0.0 if self.busy else _GOODBYE_SECONDS)
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        with self.app.app_context():
            try:
                while self._serve_session():
                    pass
            except Exception:
                log.exception("a session of channel %s broke", self.route.channel)

    def _serve_session(self) -> bool:
        """Send over one session until it is of no use any more; False when there is nothing more to send."""
        with self.route.open() as session:
            while (claim := self._waiting.get()) is not None:
                answered = self._send(session, claim)
                self.answers.put(answered)
                if answered.result.is_general:
                    return True
        return False

    def _send(self, session: Any, claim: Claim) -> Answered:
        started = time.monotonic()
        ids = {"notification_id": claim.id, "order_id": claim.order_id, "campaign_id": claim.campaign_id}
        with working_on(claim.origin, f"send {claim.channel}", kind="client", **ids) as span:
            try:
                result = self.route.send(session, claim)
            except Exception as error:
                # A fault of ours, and nobody knows how far it came. Its message must not stop all the others.
                log.exception("notification %d could not be sent", claim.id)
                result = SendResult(Outcome.UNKNOWN, error=f"A fault of the program: {type(error).__name__}")
            if span is not None:
                _describe(span, claim, result)
        return Answered(claim, result, (time.monotonic() - started) * 1000)


def _describe(span: Span, claim: Claim, result: SendResult) -> None:
    """Not to whom, nor the provider's words: they may repeat the text."""
    span.set_attribute("grocery.event", claim.event)
    span.set_attribute("grocery.attempt", claim.attempts)
    span.set_attribute("grocery.outcome", result.outcome.value)
    if result.outcome is not Outcome.SENT:
        mark_failed(span, result.outcome.value)
