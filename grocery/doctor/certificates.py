"""Certificates of all that is reached by TLS: verified as clients do, and how long they hold."""

import smtplib
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from psycopg2.extensions import parse_dsn
from redis.connection import parse_url
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from grocery.config import Settings
from grocery.doctor.examining import Patient, first_line
from grocery.doctor.findings import Finding, failure, hint, ok, warning
from grocery.engines import Engines

_SECONDS = 4
# Those that live for 90 days are renewed 30 days before their end, short ones when a third is left.
_FEW_DAYS, _SMALL_SHARE = 14, 0.25
_PAGE = "docs/runbook.md, Certificates"

# https://www.postgresql.org/docs/current/protocol-message-formats.html: SSLRequest
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)

#: Opens a TLS connection to a host and port, verified by the context.
Opening = Callable[[str, int, ssl.SSLContext], ssl.SSLSocket]


@dataclass(frozen=True)
class Place:
    """Somewhere that a certificate is shown; `name` is the setting that leads there."""

    name: str
    host: str
    port: int
    opening: Opening
    context: ssl.SSLContext


def look(patient: Patient) -> Iterator[Finding]:
    places = list(list_places(patient.settings, patient.engines))
    yield from _unverified(patient.engines)
    if not places:
        yield ok("Nothing is reached by TLS.")
    for place in places:
        yield look_at(place)


def list_places(settings: Settings, engines: Engines) -> Iterator[Place]:
    default = ssl.create_default_context()
    web = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    is_at = settings.sms_backend == "africastalking"
    subdomain = "sandbox." if settings.at_username == "sandbox" else ""
    provider = settings.at_base_url or f"https://api.{subdomain}africastalking.com"
    addresses = {
        "SHOP_URL": (settings.shop_url, web),
        "STREAM_URL": (settings.stream_url, web),
        "AT_BASE_URL" if settings.at_base_url else "Africa's Talking": (provider if is_at else "", web),
        "S3_ENDPOINT": (settings.s3_endpoint or "", default),
        "SENTRY_DSN": (settings.sentry_dsn, web),
        "OTEL_EXPORTER_OTLP_ENDPOINT": (settings.otel_exporter_otlp_endpoint or "", web),
    }
    for name, (address, context) in addresses.items():
        parts = urlsplit(address)
        if parts.scheme == "https" and parts.hostname:
            yield Place(name, parts.hostname, parts.port or 443, _open, context)
    if settings.mail_backend == "smtp" and (settings.mail_use_tls or settings.mail_port == 465):
        opening = _open if settings.mail_port == 465 else _open_smtp
        yield Place("MAIL_SERVER", settings.mail_server, settings.mail_port, opening, default)
    yield from _engines(engines)


def _engines(engines: Engines) -> Iterator[Place]:
    if urlsplit(engines.redis_url).scheme == "rediss":
        options = parse_url(engines.redis_url)
        context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
        yield Place("REDIS_URL", options.get("host", "localhost"), options.get("port", 6379), _open, context)
    for name, dsn in _databases(engines):
        if dsn.get("sslmode") in ("verify-ca", "verify-full"):
            root = dsn.get("sslrootcert")
            context = ssl.create_default_context(cafile=None if root in (None, "system") else root)
            context.check_hostname = dsn["sslmode"] == "verify-full"
            yield Place(name, dsn["host"], int(dsn.get("port", 5432)), _open_postgres, context)


def _databases(engines: Engines) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each server once, unless it is reached through a socket or is one of several."""
    seen = set()
    urls = {
        "DATABASE_URL": engines.database_url,
        "DATABASE_DIRECT_URL": engines.direct_url,
        "DATABASE_REPLICA_URL": engines.replica_url,
    }
    for name, url in urls.items():
        dsn = parse_dsn(url.replace("postgresql+psycopg2://", "postgresql://", 1))
        host, port = dsn.get("host", ""), dsn.get("port", "5432")
        if host and not host.startswith("/") and "," not in f"{host}{port}" and (host, port) not in seen:
            seen.add((host, port))
            yield name, dsn


def _unverified(engines: Engines) -> Iterator[Finding]:
    for name, dsn in _databases(engines):
        mode = dsn.get("sslmode", "prefer")
        if mode not in ("verify-ca", "verify-full") and dsn["host"] not in ("localhost", "127.0.0.1", "::1"):
            what = f"{name} has sslmode={mode}, which takes any server for the right one."
            yield hint(what, f"Across a network that others use: sslmode=verify-full and sslrootcert ({_PAGE}).")


def look_at(place: Place) -> Finding:
    """How one certificate is doing."""
    where = f"{place.name} ({place.host}:{place.port})"
    try:
        with closing(place.opening(place.host, place.port, place.context)) as connection:
            certificate = connection.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return failure(f"{where}: the certificate is refused: {error.verify_message}.", f"Renew or mend it ({_PAGE}).")
    except (OSError, smtplib.SMTPException) as error:
        return failure(f"{where}: no TLS connection: {first_line(error)}", "Is it up, and does it speak TLS there?")
    return _judge(where, *(_moment(str(certificate[name])) for name in ("notBefore", "notAfter")))


def _judge(where: str, begins: datetime, ends: datetime) -> Finding:
    left = ends - datetime.now(UTC)
    what = f"{where}: the certificate holds until {ends:%Y-%m-%d %H:%M}Z, {left.days} days."
    if left.days < _FEW_DAYS and left < (ends - begins) * _SMALL_SHARE:
        return warning(what, f"Renew it now, and see why that did not happen by itself ({_PAGE}).")
    return ok(what)


def _moment(written: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(written), UTC)


def _open(host: str, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection((host, port), _SECONDS), server_hostname=host)


def _open_postgres(host: str, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection((host, port), _SECONDS)
    plain.sendall(_SSL_REQUEST)
    if plain.recv(1) != b"S":
        plain.close()
        raise OSError("PostgreSQL there does not speak TLS")
    return context.wrap_socket(plain, server_hostname=host)


def _open_smtp(host: str, port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    server = smtplib.SMTP(host, port, local_hostname="doctor.invalid", timeout=_SECONDS)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    encrypted: ssl.SSLSocket = server.sock  # type: ignore[assignment]  # since STARTTLS
    return encrypted
