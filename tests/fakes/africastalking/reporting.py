"""Delivery reports that come by themselves, as a script tells."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from tests.fakes.africastalking.callbacks import Callbacks


@dataclass(frozen=True)
class Report:
    """One line of a script: a status and, for Rejected and Failed, its reason."""

    status: str
    reason: str | None = None


Script = Sequence[Report | str]


class Reporter:
    """Posts the scripted reports of each accepted message, in order, from one thread.

    A number's own script in `by_number` goes before the common `script`. With `is_early` they are posted while the
    request to send still waits for its answer, so the shop cannot know the id yet.
    """

    def __init__(self, callbacks: Callbacks) -> None:
        self.script: Script = ()
        self.by_number: dict[str, Script] = {}
        self.is_early = False
        self._callbacks = callbacks
        self._accepted: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the report that is on its way and drop the others."""
        self._is_stopping.set()
        self._accepted.put(None)
        self._thread.join(60)

    def accepted(self, message_id: str, number: str) -> None:
        """Tell of a message that was accepted and not answered for yet."""
        if self.is_early:
            self._report(message_id, number)

    def answered(self, message_id: str, number: str) -> None:
        """Tell that the request has its answer, or will never get one."""
        if not self.is_early:
            self._accepted.put((message_id, number))

    def _work(self) -> None:
        while (message := self._accepted.get()) is not None:
            self._report(*message)

    def _report(self, message_id: str, number: str) -> None:
        for line in self.by_number.get(number, self.script):
            if self._is_stopping.is_set():
                return
            report = Report(line) if isinstance(line, str) else line
            self._callbacks.deliver(message_id, number, report.status, report.reason)
