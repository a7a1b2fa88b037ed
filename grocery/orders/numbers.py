"""Order numbers that people read out on the phone: no letters or digits that are taken for one another."""

import re
import secrets
from collections.abc import Sequence

# Without 0/O, 1/I/L, 2/Z, 5/S, 8/B and U/V.
ALPHABET = "34679ACDEFGHJKMNPQRTWXY"
_LENGTH = 6

_WHOLE = re.compile(f"G([{ALPHABET}]{{{_LENGTH}}})")
# Without the G it must have a digit: "market" and "repeat" are no numbers.
_TAIL = re.compile(f"(?=.*[0-9])([{ALPHABET}]{{{_LENGTH}}})")


def make_number() -> str:
    """A random number such as "G-7K3M9Q"; 148 million exist, so the caller must be ready for one that is taken."""
    return "G-" + "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))


def parse_number(text: str) -> str | None:
    """The number that somebody has typed: "g7k3m9q", "7k3m9q"; None when it cannot be one."""
    capitals = text.upper()
    plain = capitals.replace("-", "")
    match = _WHOLE.fullmatch(plain)
    if match is None and not capitals.startswith("G-"):
        match = _TAIL.fullmatch(plain)
    return f"G-{match[1]}" if match else None


def take_number(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """The first number among words, and the words that are left; "G 7K3M9Q" is one, too."""
    for index, word in enumerate(words):
        length = 2 if word == "G" else 1
        number = parse_number("".join(words[index : index + length]))
        if number is not None:
            return number, [*words[:index], *words[index + length :]]
    return None, list(words)
