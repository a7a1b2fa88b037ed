"""Whether the shop can listen where it is told to, asked before anything is started."""

import errno

from grocery.local import check_free, next_port

_PORTS_TO_TRY = 20


class AddressError(Exception):
    """The address cannot be used; the message says what to do."""


def check_address(host: str, port: int) -> None:
    """Raise AddressError unless a server could listen there now."""
    try:
        check_free(host, port)
    except OSError as error:
        raise AddressError(_explain(host, port, error)) from error


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        others = range(port + 1, port + _PORTS_TO_TRY)
        # The streams are served on the port next to the shop's.
        free = next((one for one in others if _is_free(host, one) and _is_free(host, next_port(one))), None)
        hint = f", try: make run PORT={free}" if free else ": set PORT to another one"
        return f"Port {port} is already in use by another program{hint}"
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights than this user has, try: make run PORT=8000"
    return f"HOST={host} is no address of this machine ({error.strerror}), try: make run HOST=127.0.0.1"


def _is_free(host: str, port: int) -> bool:
    try:
        check_free(host, port)
    except (OSError, OverflowError):
        return False
    return True
