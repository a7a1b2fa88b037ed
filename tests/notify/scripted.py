"""Backends that answer what a test tells them to, for what the loopback servers cannot show."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask

from grocery.notify.clients.letter import Letter
from grocery.notify.extension import Backends
from grocery.notify.outcome import Outcome, SendResult

SENT = SendResult(Outcome.SENT, provider_id="id-1", cost="KES 0.8000")
RETRY = SendResult(Outcome.RETRY, error="refused for now")
FAILED = SendResult(Outcome.FAILED, error="no such number")
UNKNOWN = SendResult(Outcome.UNKNOWN, error="no answer")


@dataclass
class ScriptedSms:
    """Answers `results` one after the other, then the last one for ever; `meanwhile` runs during each sending."""

    results: list[SendResult] = field(default_factory=lambda: [SENT])
    meanwhile: Callable[[str], None] = lambda body: None
    sent: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, to: str, body: str) -> SendResult:
        with self._lock:
            self.sent.append((to, body))
            result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        self.meanwhile(body)
        return result

    @contextmanager
    def session(self) -> Iterator["ScriptedSms"]:
        yield self

    @property
    def bodies(self) -> list[str]:
        return [body for _, body in self.sent]


@dataclass
class ScriptedMail:
    """Answers `results` one after the other, then the last one for ever."""

    results: list[SendResult] = field(default_factory=lambda: [SENT])
    sent: list[tuple[str, str, str, str]] = field(default_factory=list)
    sessions: int = 0

    def send(self, letter: Letter) -> SendResult:
        self.sent.append((letter.to, letter.subject, letter.body, letter.message_id))
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]

    @contextmanager
    def session(self) -> Iterator["ScriptedMail"]:
        self.sessions += 1
        yield self


@contextmanager
def backends_of(app: Flask, backends: Backends) -> Iterator[Backends]:
    """Let the app send through these."""
    state = app.extensions["notify"]
    before, state.backends = state.backends, backends
    try:
        yield backends
    finally:
        state.backends = before
