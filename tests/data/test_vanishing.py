"""Connections over TCP end by themselves when the host at their other end has vanished, on either side."""

import os
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from grocery.config import Settings
from grocery.engines import Engines
from tests.data.conftest import Pair
from tests.data.postgres import Cluster

_OF_SERVER = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
_OF_CLIENT = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)


@pytest.fixture
def engines(servers: Pair, settings: Settings) -> Engines:
    primary: Cluster = servers.primary
    return Engines(
        replace(
            settings,
            database_url=primary.url,
            database_direct_url=primary.url,
            database_replica_url=servers.replica.url,
        )
    )


@pytest.mark.parametrize(
    "connect",
    [Engines.connect, Engines.connect_directly, Engines.connect_for_reports, Engines.connect_for_catalogue],
    ids=lambda connect: connect.__name__,
)
def test_both_sides_look_whether_the_other_is_there(engines: Engines, connect: Callable[[Engines], Any]) -> None:
    with closing(connect(engines)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in _OF_SERVER))
        assert cursor.fetchone() == ("5", "5", "2", "15000")
        with socket.socket(fileno=os.dup(connection.fileno())) as ours:
            assert [ours.getsockopt(socket.IPPROTO_TCP, option) for option in _OF_CLIENT] == [5, 5, 2, 15_000]
