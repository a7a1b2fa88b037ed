"""Order numbers that people read out on the phone: no letters or digits that are taken for one another."""

import secrets

# Without 0/O, 1/I/L, 2/Z, 5/S, 8/B and U/V.
ALPHABET = "34679ACDEFGHJKMNPQRTWXY"
_LENGTH = 6


def make_number() -> str:
    """A random number such as "G-7K3M9Q"; 148 million exist, so the caller must be ready for one that is taken."""
    return "G-" + "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))
