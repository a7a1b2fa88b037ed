"""What the menu says in each language."""

from collections.abc import Mapping

from grocery.orders.ussd.phrases.en import ENGLISH
from grocery.orders.ussd.phrases.form import Phrases
from grocery.orders.ussd.phrases.sw import SWAHILI

__all__ = ["PHRASES", "Phrases"]

PHRASES: Mapping[str, Phrases] = {phrases.language: phrases for phrases in (ENGLISH, SWAHILI)}
