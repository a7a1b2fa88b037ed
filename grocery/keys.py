"""The keys of what is signed with SECRET_KEY and is no sign-in: which one signs, and which are believed.

A new SECRET_KEY reaches the processes one after the other, and what the old one signed is in mails and browsers. So the
older ones stay in SECRET_KEY_FALLBACKS: they verify, and never sign. Imports nothing: the stream process needs it too.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Keys:
    """`signing` is SECRET_KEY; `older` are only for what was made before, or by a process that has them as its own."""

    signing: str = field(repr=False)
    older: tuple[str, ...] = field(default=(), repr=False)

    @property
    def newest_first(self) -> tuple[str, ...]:
        """All that verify, the likeliest first."""
        return (self.signing, *self.older)

    @property
    def oldest_first(self) -> list[str]:
        """The same for itsdangerous, which signs with the last one."""
        return [*reversed(self.older), self.signing]


def keys_of(config: Mapping[str, Any]) -> Keys:
    """The keys in the configuration of a Flask application."""
    return Keys(config["SECRET_KEY"], tuple(config["SECRET_KEY_FALLBACKS"]))


def is_made_by_any(given: str, make: Callable[[str], str], secret_keys: tuple[str, ...]) -> bool:
    """Whether `given` is what `make` makes with one of the keys: made once for each at most, compared in constant time.

    Which key it was may show in the time that it takes; that is no secret.
    """
    known = given.encode(errors="surrogatepass")
    return any(hmac.compare_digest(make(key).encode(), known) for key in secret_keys)
