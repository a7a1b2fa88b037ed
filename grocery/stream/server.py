"""The stream process's life: from its settings to the end of its last connection."""

import asyncio
import logging
import resource
import signal
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from grocery.config import Settings
from grocery.embedded import EmbeddedStackError, ensure_stack
from grocery.keys import Keys
from grocery.liveness import Liveness
from grocery.local import local_address
from grocery.stream.connection import Connection, Desk
from grocery.stream.history import History
from grocery.stream.hub import Hub
from grocery.stream.messages import Cors
from grocery.stream.news import News

log = logging.getLogger(__name__)

#: Seconds after which a stream on which nothing happens gets a sign of life.
HEARTBEAT_SECONDS = 15.0

_MAX_CONNECTIONS = 20_000
# What the process has open besides its connections.
_OTHER_FILES = 50

_GOODBYE_SECONDS = 1.0
_OPTIONS = "-c timezone=UTC -c statement_timeout=5000"


async def serve(settings: Settings, host: str, port: int, heartbeat_seconds: float) -> None:
    """Serve until SIGTERM or SIGINT; raises OSError when the address cannot be used."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    hub = Hub(History(lambda: _connect(settings)))
    news = News(lambda: settings.redis_url or ensure_stack(settings.data_dir).redis_url, hub)
    cors = Cors(shop_origins(settings), settings.cors_origins)
    keys = Keys(settings.secret_key, settings.secret_key_fallbacks)
    desk = Desk(hub, cors, keys, _raise_file_limit(), lambda: news.is_heard, set())
    server = await loop.create_server(lambda: Connection(desk), host, port, backlog=1024)
    Liveness(settings.liveness_file).point_to(f"http://{local_address(host, port)}/healthz")
    log.info("streams are served on %s port %d", host, port)
    tasks = [loop.create_task(run) for run in (hub.run(), news.run(), _keep_alive(desk, heartbeat_seconds))]
    await asyncio.wait([*tasks, loop.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    server.close()
    for task in tasks:
        task.cancel()
    await _say_goodbye(desk)
    # A task that has failed ends the process, which whoever runs it starts again: nothing is lost by that.
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    log.info("the stream process has stopped")


def shop_origins(settings: Settings) -> list[str]:
    """The origins of the shop's own pages: that of SHOP_URL and, in development, this machine by each of its names."""
    parts = urlsplit(settings.shop_url)
    origins = [f"{parts.scheme}://{parts.netloc}".lower()] if parts.netloc else []
    if not settings.is_production:
        origins += [f"http://{name}:{settings.port}" for name in ("localhost", "127.0.0.1", "[::1]")]
    return origins


async def _keep_alive(desk: Desk, every_seconds: float) -> None:
    while True:
        await asyncio.sleep(min(1.0, every_seconds / 2))
        before = time.monotonic() - every_seconds
        for connection in tuple(desk.connections):
            connection.keep_alive(before)


async def _say_goodbye(desk: Desk) -> None:
    """Let clients have what was written, and come back to another process."""
    for connection in tuple(desk.connections):
        connection.close()
    deadline = time.monotonic() + _GOODBYE_SECONDS
    while desk.connections and time.monotonic() < deadline:  # noqa: ASYNC110  # connections know nothing of this
        await asyncio.sleep(0.02)


def _connect(settings: Settings) -> Any:
    """A psycopg2 connection; psycopg2.OperationalError also when the embedded PostgreSQL cannot be started."""
    try:
        url = settings.database_url or ensure_stack(settings.data_dir).database_url
    except EmbeddedStackError as error:
        raise psycopg2.OperationalError(str(error)) from error
    return psycopg2.connect(
        url.replace("postgresql+psycopg2://", "postgresql://", 1),
        connect_timeout=3,
        application_name="grocery-stream",
        options=_OPTIONS,
        keepalives_idle=30,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=10_000,
    )


def _raise_file_limit() -> int:
    """Allow as many open files as this user may have; the number of connections that leaves."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_CONNECTIONS + _OTHER_FILES
    limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return max(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _OTHER_FILES, 1)
