"""What a program says of itself in `User-Agent`, in a few words for people: "Opera Mini, Android"."""

import re

#: Characters that are kept of a name.
MAX_LENGTH = 60

# Most say that they are others too: the first that fits is the right one.
_PROGRAMS = (
    ("Opera Mini", "Opera Mini"),
    ("OPiOS", "Opera Mini"),
    ("OPR/", "Opera"),
    ("UCBrowser", "UC Browser"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Edg", "Edge"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("KAIOS", "KaiOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]*")


def describe_device(user_agent: str) -> str | None:
    """A browser and its system; of another program the name that it begins with; None when it says nothing.

    What is answered holds no more than letters, digits, spaces and `,._+/-`, whatever was sent.
    """
    found = [_first_of(names, user_agent) for names in (_PROGRAMS, _SYSTEMS)]
    if found[0]:
        return ", ".join(filter(None, found))
    product = _PRODUCT.match(user_agent.strip())
    return product[0][:MAX_LENGTH] if product else None


def _first_of(names: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for mark, name in names if mark in user_agent), None)
