"""What is of this machine: its addresses, and the secrets that development keeps in files."""

import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

_LAST_PORT = 65535


def local_address(host: str, port: int) -> str:
    """The address as a browser on this machine reaches it: a server on all addresses is asked for on the loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def next_port(port: int) -> int:
    """The port next door."""
    return port + 1 if port < _LAST_PORT else port - 1


def check_free(host: str, port: int) -> None:
    """Raise OSError unless a server could listen there now."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # As servers do: a port that only waits for its last connections to time out is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


def keep_secret(path: Path) -> str:
    """The secret in this file, a random one if there is none yet; raises OSError."""
    with suppress(FileNotFoundError):
        if secret := path.read_text().strip():
            return secret
    return _create_secret(path)


def _create_secret(path: Path) -> str:
    for directory in (path.parent.parent, path.parent):  # a mode is only for the last one that mkdir makes
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48))
    try:
        # A link, unlike a rename, fails when another process was first: then its secret is the one.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text().strip()
