"""Signals of this package, answered by packages above it."""

from blinker import Namespace

_signals = Namespace()

words_changed = _signals.signal(
    "words-changed",
    """The words and synonyms in the database are others: forget what this process remembers of them.

    Sent with the app as the sender, by the thread that listens and outside of any application context. No answer that
    is begun after it may be made of the old ones, since it would be kept.
    """,
)
