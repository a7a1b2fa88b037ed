"""What is sent to ask for a product."""

from typing import Any

from marshmallow import ValidationError, validates

from grocery.fields import Name, Schema
from grocery.products.search.words import words_of


class RequestProductSchema(Schema):
    words = Name(required=True, max_length=100)

    @validates("words")
    def check_words(self, words: str, **_: Any) -> None:
        if not words_of(words):
            raise ValidationError("Must have letters or digits.")
