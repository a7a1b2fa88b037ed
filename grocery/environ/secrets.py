"""Secrets as settings: production must be given them, development makes its own and keeps them in files."""

import re
from pathlib import Path

from grocery.environ.values import Values
from grocery.local import keep_secret

_MIN_LENGTH = 32
_MIN_CALLBACK_LENGTH = 16


class Secrets:
    """Reads secrets from `values`; what is wrong is noted there. Those of development outlive a restart."""

    def __init__(self, values: Values, data_dir: Path, *, is_production: bool):
        self._values = values
        self._data_dir = data_dir
        self._is_production = is_production

    def secret(self, name: str) -> str:
        """A secret that nobody else needs to know."""
        value = self._values.text(name)
        if not value and not self._is_production:
            return self._kept(name)
        self._check(name, value)
        return value

    def fallbacks(self, name: str) -> tuple[str, ...]:
        """Older secrets, in the order in which they are written; none in most shops."""
        older = self._values.items(name)
        for number, value in enumerate(older, start=1):
            self._check(f"{name} (number {number})", value)
        return older

    def callback_secret(self, name: str) -> str:
        """A part of an address, so of letters that mean nothing there. In production "" for none: no callbacks."""
        value = self._values.text(name)
        if not value and not self._is_production:
            return self._kept(name)
        if value and not re.fullmatch(rf"[A-Za-z0-9_-]{{{_MIN_CALLBACK_LENGTH},200}}", value):
            self._values.note(
                f"{name} must have {_MIN_CALLBACK_LENGTH} characters or more, of A-Z, a-z, 0-9, - and _ only."
            )
        return value

    def jwt_keys(self, name: str) -> dict[str, str]:
        """Secrets by their `kid`, in the order in which they are written."""
        keys: dict[str, str] = {}
        for entry in self._values.items(name):
            kid, separator, secret = entry.partition(":")
            if not separator or not kid or kid in keys:
                self._values.note(f"{name} must be a list kid:secret,kid:secret with a different kid for each.")
            else:
                self._check(f"{name} ({kid})", secret)
                keys[kid] = secret
        if not keys and not self._values.text(name):
            if not self._is_production:
                return {"dev": self._kept(name)}
            self._values.note(f"{name} is missing; production needs it (secrets of {_MIN_LENGTH} characters).")
        return keys

    def _check(self, name: str, value: str) -> None:
        if not value:
            self._values.note(f"{name} is missing; production needs it ({_MIN_LENGTH} characters or more).")
        elif len(value) < _MIN_LENGTH:
            self._values.note(f"{name} is too short; it must have {_MIN_LENGTH} characters or more.")

    def _kept(self, name: str) -> str:
        try:
            return keep_secret(self._data_dir / "secrets" / name.lower())
        except OSError as error:
            self._values.note(
                f"DATA_DIR is {self._data_dir}, which cannot be used ({error.strerror}): set another one."
            )
            return ""
