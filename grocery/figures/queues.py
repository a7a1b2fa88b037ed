"""How Redis is doing, and who serves its queues.

A queue holds one job at the most, however much there is to do (`grocery.queues`): how much waits is told by the orders,
messages and imports that wait.
"""

import time
from datetime import datetime

from flask import Flask
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from redis import Redis
from rq.job import Job
from rq.queue import Queue
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from grocery.queues import JOBS, doorbell


def metric_families(_app: Flask) -> list[Metric]:
    """The answer to the signal `metrics_asked`; nothing of the queues while Redis is away."""
    read = doorbell().read(_read_all)
    up = GaugeMetricFamily("grocery_redis_up", "1 while Redis answers.", value=read is not None)
    if read is None:
        return [up]
    families = {
        name: GaugeMetricFamily(f"grocery_queue_{name}", description, labels=["queue"])
        for name, description in _DESCRIPTIONS.items()
    }
    for queue, numbers in read.items():
        for name, number in numbers.items():
            families[name].add_metric([queue], number)
    return [up, *families.values()]


_DESCRIPTIONS = {
    "jobs": "Jobs that wait for a worker.",
    "jobs_oldest_seconds": "For how long the first of them has waited, in seconds.",
    "jobs_running": "Jobs that workers are busy with.",
    "jobs_failed": "Jobs that failed in the last ten minutes.",
    "workers": "Workers that have given a sign of life within a minute or so.",
}


def _read_all(redis: Redis) -> dict[str, dict[str, float]]:
    return {queue: _read_queue(redis, queue) for queue in JOBS}


def _read_queue(redis: Redis, queue: str) -> dict[str, float]:
    key = Queue.redis_queue_namespace_prefix + queue
    with redis.pipeline(transaction=False) as pipeline:
        pipeline.llen(key)
        pipeline.lindex(key, 0)
        pipeline.zcard(StartedJobRegistry.key_template.format(queue))
        pipeline.zcount(FailedJobRegistry.key_template.format(queue), time.time(), "+inf")  # by when they are forgotten
        pipeline.smembers(WORKERS_BY_QUEUE_KEY % queue)
        waiting, first, running, failed, workers = pipeline.execute()
        # A worker that was killed is still listed; what it said of itself expires.
        for worker in workers:
            pipeline.exists(worker)
        pipeline.hget(Job.redis_job_namespace_prefix + (first or b"").decode(), "enqueued_at")
        *alive, enqueued_at = pipeline.execute()
    return {
        "jobs": waiting,
        "jobs_oldest_seconds": _seconds_since(enqueued_at),
        "jobs_running": running,
        "jobs_failed": failed,
        "workers": sum(alive),
    }


def _seconds_since(written: bytes | None) -> float:
    """RQ writes times in UTC, as `2026-03-01T09:30:00.000000Z`."""
    if written is None:
        return 0.0
    return max(0.0, time.time() - datetime.fromisoformat(written.decode()).timestamp())
