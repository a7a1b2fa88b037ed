"""Which texts there are: one file of Jinja for each event, audience, channel and language."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from grocery.notify.wording.errors import TextNotFoundError

TEMPLATES = Path(__file__).parent / "templates"


class TextKey(NamedTuple):
    """What names a text. `audience` is "customer" or "admin", `channel` "sms" or "email", `language` "en" or "sw"."""

    event: str
    audience: str
    channel: str
    language: str

    def __str__(self) -> str:
        return f"{self.language}/{self.event}.{self.audience}.{self.channel}"

    @property
    def path(self) -> str:
        """The file below TEMPLATES that has the text as it comes with the program."""
        return f"{self}.txt"


@cache
def list_keys() -> tuple[TextKey, ...]:
    """All texts, in the order of their names. Files that begin with _ have what several texts share."""
    files = TEMPLATES.glob("*/[!_]*.*.*.txt")
    return tuple(sorted(_key_of(path) for path in files))


def get_key(event: str, audience: str, channel: str, language: str) -> TextKey:
    """The key of a text that there is; raises TextNotFoundError."""
    key = TextKey(event, audience, channel, language)
    if key not in list_keys():
        raise TextNotFoundError(str(key))
    return key


def _key_of(path: Path) -> TextKey:
    event, audience, channel, _ = path.name.split(".")
    return TextKey(event, audience, channel, path.parent.name)


def built_in_source(key: TextKey) -> str:
    """The Jinja source that comes with the program."""
    return (TEMPLATES / key.path).read_text(encoding="utf-8")
