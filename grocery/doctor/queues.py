"""Workers: whether each queue has one that lives and takes what is there."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer
from rq.suspension import is_suspended
from rq.worker_registration import get_keys

from grocery.doctor.asking import ANSWER_SECONDS
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, ok, warning
from grocery.queues import JOBS, connect

# A worker shows itself every five seconds, also in the middle of a job.
_DEAD_AFTER_SECONDS = 60
# One takes a ring at once, unless all are in the middle of a job, which ends within 50 s.
_OLD_RING_SECONDS = 90


def look(patient: Patient) -> Iterator[Finding]:
    with closing(connect(patient.engines.redis_url, answer_seconds=ANSWER_SECONDS)) as redis:
        if is_suspended(redis):
            yield failure("Workers are told to do nothing (rq suspend).", "Run: rq resume")
        for name in JOBS:
            queue = Queue(name, connection=redis, serializer=JSONSerializer)
            yield _workers(redis, queue)
            yield from _rings(queue)
            yield from _failures(queue)


def _workers(redis: Redis, queue: Queue) -> Finding:
    now = datetime.now(UTC)
    seen = []
    for key in sorted(get_keys(queue)):
        facts: dict[bytes, bytes] = redis.hgetall(key)  # type: ignore[assignment]  # not the async client
        heartbeat = _moment(facts.get(b"last_heartbeat"))
        if heartbeat is not None and (now - heartbeat).total_seconds() < _DEAD_AFTER_SECONDS:
            seen.append(f"{facts.get(b'hostname', b'?').decode()} pid {facts.get(b'pid', b'?').decode()}")
    if seen:
        return ok(f"{queue.name}: {len(seen)} at work ({'; '.join(seen)}).")
    what = f"{queue.name}: no worker is at work on this queue; {_MEANING[queue.name]}."
    return failure(what, f"Start one: rq worker -w grocery.worker.Worker {queue.name}")


_MEANING = {
    "orders": "new orders stay pending",
    "notify": "no SMS and no mail is sent",
    "bulk": "imports, campaigns and back-in-stock notices wait",
}


def _rings(queue: Queue) -> Iterator[Finding]:
    for job_id in queue.get_job_ids(0, 1):
        try:
            rung_at = _aware(_fetch(queue, job_id).enqueued_at)
        except NoSuchJobError:
            return
        seconds = (datetime.now(UTC) - rung_at).total_seconds() if rung_at else 0
        if seconds > _OLD_RING_SECONDS:
            what = f"{queue.name}: a ring has waited for {seconds:.0f} s, and nobody takes it."
            yield failure(what, "Restart the workers of this queue; their log says what they are at.")


def _failures(queue: Queue) -> Iterator[Finding]:
    count = FailedJobRegistry(queue=queue).count
    if count:
        what = f"{queue.name}: {count} jobs failed lately. What they had to do is due still, and is tried again."
        remedy = "The workers' log says why. All of them: a worker was started without -w grocery.worker.Worker."
        yield warning(what, remedy)


def _fetch(queue: Queue, job_id: str) -> Any:
    """Raises NoSuchJobError, also when a job cannot be read."""
    job = queue.fetch_job(job_id)
    if job is None:
        raise NoSuchJobError(job_id)
    return job


def _moment(written: bytes | None) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(written.decode())) if written else None
    except ValueError:
        return None


def _aware(moment: datetime | None) -> datetime | None:
    """RQ's times are UTC, with and without saying so."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
