"""The relay: whether one holds the lock, and shows that it lives."""

from collections.abc import Iterator

from grocery.doctor.asking import asking
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, ok, warning
from grocery.relay import LOCK_KEY

# It asks PostgreSQL something twice a second, but in the middle of a task.
_SILENT_SECONDS = 60

# A lock of one number is told as its two halves. Without the right to see others' sessions their state is null.
_HOLDER = """
    SELECT lock.pid, extract(epoch FROM clock_timestamp() - session.state_change)::int
    FROM pg_locks AS lock LEFT JOIN pg_stat_activity AS session USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
      AND lock.classid = %(high)s AND lock.objid = %(low)s
      AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def look(patient: Patient) -> Iterator[Finding]:
    with asking(patient.engines.connect_directly) as questions:
        holders = questions.rows(_HOLDER, high=LOCK_KEY >> 32, low=LOCK_KEY & 0xFFFFFFFF)
    if not holders:
        what = "No relay is at work: rings that were lost are not rung again, offers do not start and end."
        yield failure(what, "Start it: flask --app wsgi relay")
        return
    [(pid, silent_seconds)] = holders
    if silent_seconds is not None and silent_seconds > _SILENT_SECONDS:
        what = f"The relay (PostgreSQL's pid {pid}) has done nothing for {silent_seconds} s: it hangs in a task."
        yield warning(what, "Its log says in which; restart it, and another one goes on.")
    else:
        yield ok(f"A relay is at work (PostgreSQL's pid {pid}).")
