"""Small questions to the two servers of a stack."""

from contextlib import closing

import psycopg2
from redis import Redis

from grocery.embedded import Stack
from grocery.embedded.layout import Record


def sql(where: Stack | Record, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(where.database_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def remember(where: Stack | Record, text: str) -> None:
    """Keep a text in both servers."""
    sql(where, "CREATE TABLE IF NOT EXISTS kept (text text)")
    sql(where, f"INSERT INTO kept VALUES ('{text}')")
    with closing(Redis.from_url(where.redis_url)) as valkey:
        valkey.rpush("kept", text)


def remembered(where: Stack | Record) -> tuple[list[str], list[str]]:
    """The texts that PostgreSQL and Valkey have kept."""
    rows = [str(row[0]) for row in sql(where, "SELECT text FROM kept ORDER BY text")]
    with closing(Redis.from_url(where.redis_url, decode_responses=True)) as valkey:
        return rows, [str(item) for item in valkey.lrange("kept", 0, -1)]
