"""Addresses of a Valkey or Redis that is found through Sentinel, which redis-py itself does not read.

    redis+sentinel://user:password@host:26379,host2:26379,host3/mymaster/0?sentinel_password=…

The user and the password are those of the servers; Sentinels that ask for their own have them behind the question mark
(`sentinel_username`, `sentinel_password`).
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

#: What such an address begins with.
SCHEME = "redis+sentinel"

_DEFAULT_PORT = 26379
_OPTIONS = ("sentinel_username", "sentinel_password")

_ADDRESS = re.compile(
    rf"{re.escape(SCHEME)}://"
    r"((?P<username>[^:@/?#]*):(?P<password>[^:@/?#]*)@)?"
    r"(?P<hosts>[^@/?#]+)/(?P<service>[^/?#]+)(/(?P<database>[0-9]{1,5}))?/?(\?(?P<query>[^#]*))?"
)
_HOST = re.compile(r"(?P<name>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True)
class SentinelAddress:
    """Where the Sentinels are, the name by which they know the servers, and what the servers want to hear."""

    hosts: tuple[tuple[str, int], ...]
    service: str
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)


def is_sentinel_url(url: str) -> bool:
    """Whether it is to be read by `read_sentinel_url`, and not by redis-py."""
    return url.partition("://")[0] == SCHEME


def read_sentinel_url(url: str) -> SentinelAddress:
    """The parts of an address; raises ValueError, without any of it, when it is none."""
    found = _ADDRESS.fullmatch(url)
    if found is None:
        raise ValueError("not an address of Sentinels")
    # A plus is one here, as it is in the password before the @, and no space as in a form.
    query = (found["query"] or "").replace("+", "%2B")
    options = dict(parse_qsl(query, strict_parsing=bool(query)))
    if not options.keys() <= set(_OPTIONS):
        raise ValueError("unknown options")
    return SentinelAddress(
        hosts=tuple(_read_host(host) for host in found["hosts"].split(",")),
        service=unquote(found["service"]),
        database=int(found["database"] or 0),
        username=unquote(found["username"] or "") or None,
        password=unquote(found["password"] or "") or None,
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
    )


def _read_host(host: str) -> tuple[str, int]:
    found = _HOST.fullmatch(host)
    port = int(found["port"] or _DEFAULT_PORT) if found else 0
    if found is None or not 0 < port < 65536:
        raise ValueError("not a host")
    return found["name"].strip("[]"), port
