"""How checks are run: all at once, each in a thread and for a limited time, so that what hangs holds up nobody."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import psycopg2
from flask import Flask
from psycopg2.errors import UndefinedColumn, UndefinedTable
from redis.exceptions import RedisError

from grocery.config import Settings
from grocery.doctor.confidential import Confidential
from grocery.doctor.findings import Finding, failure
from grocery.engines import Engines
from grocery.errors import GroceryError


@dataclass(frozen=True)
class Patient:
    """The shop that is looked at; `is_deep` asks for what may take long."""

    app: Flask
    settings: Settings
    engines: Engines
    is_deep: bool = False


@dataclass(frozen=True)
class Check:
    """A part of the examination. `look` yields findings; what it raises, and a time of over `seconds`, is one too.

    It runs in a thread with the app's context, and may be left behind in the middle: it must not hold on to anything.
    """

    name: str
    about: str
    look: Callable[[Patient], Iterable[Finding]]
    seconds: float = 10


@dataclass(frozen=True)
class Report:
    """What one check has found."""

    name: str
    findings: Sequence[Finding]


def examine(patient: Patient, checks: Sequence[Check]) -> Iterator[Report]:
    """Run the checks at once; their reports come in the order of the checks, without a secret in them."""
    confidential = Confidential(patient.settings)
    started = time.monotonic()
    looks = [_Look(patient, check) for check in checks]
    for look in looks:
        look.start()
    for look in looks:
        findings = look.wait(started + look.check.seconds - time.monotonic())
        yield Report(look.check.name, [confidential.hide(finding) for finding in findings])


class _Look(threading.Thread):
    """One check under way."""

    def __init__(self, patient: Patient, check: Check):
        # A daemon: the command ends although something hangs.
        super().__init__(name=f"doctor-{check.name}", daemon=True)
        self.check = check
        self._patient = patient
        self._findings: list[Finding] = []

    def run(self) -> None:
        try:
            with self._patient.app.app_context():
                for finding in self.check.look(self._patient):
                    self._findings.append(finding)
        except Exception as error:
            self._findings.append(_explain(error))

    def wait(self, seconds: float) -> list[Finding]:
        """What was found within the time."""
        self.join(max(seconds, 0))
        findings = list(self._findings)
        if self.is_alive():
            late = f"No answer within {self.check.seconds:g} s; the rest was not looked at."
            findings.append(failure(late, "See whether the network or a firewall swallows what is sent there."))
        return findings


def _explain(error: Exception) -> Finding:
    """What is in the way of a check. The check of the engine itself says more."""
    if isinstance(error, psycopg2.OperationalError):
        return failure(f"Not looked at, since PostgreSQL is away: {first_line(error)}", "See the check `database`.")
    if isinstance(error, RedisError):
        return failure(f"Not looked at, since Redis is away: {first_line(error)}", "See the check `redis`.")
    if isinstance(error, UndefinedTable | UndefinedColumn):
        return failure("Not looked at, since the tables are not those of this program.", "See the check `migrations`.")
    if isinstance(error, GroceryError):
        return failure(f"Not looked at: {error.detail}", "Mend that first.")
    what = f"The check itself broke: {type(error).__name__}: {first_line(error)}"
    return failure(what, "Look at the lines above this one, and tell the developers.")


def why_unreachable(error: Exception) -> str:
    """What lies under an exception of requests, which speaks of pools and of retries that are never made."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None) or cause or error
    return first_line(reason if isinstance(reason, BaseException) else error).rpartition("): ")[2]


def first_line(error: BaseException) -> str:
    """What an exception says, in one line."""
    return " ".join(str(error).split("\n", 1)[0].split()) or type(error).__name__
