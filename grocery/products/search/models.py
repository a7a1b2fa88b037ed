"""What the search knows besides the products: the words of the catalogue and words that mean the same."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, SmallInteger, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class CatalogueWord(Base):
    """A word of names, brands and categories as people write it: folded, in lower case, with its plural ending."""

    __tablename__ = "words"

    word: Mapped[str] = mapped_column(Text, primary_key=True)
    #: Products for sale that have it.
    uses: Mapped[int]


class Synonym(Base):
    """Who searches for one of the two finds the other as well. Both may have several words."""

    __tablename__ = "synonyms"
    __table_args__ = (UniqueConstraint("term", "meaning"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    term: Mapped[str] = mapped_column(Text)
    meaning: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class VocabularyState(Base):
    """The one row that says what the words were counted from, and by which processes see that they have old ones."""

    __tablename__ = "vocabulary_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default=text("1"), autoincrement=False)
    # Another one after each change of words or synonyms. Random and not counted up, so that one is never taken for
    # that of another database or of a restored backup.
    generation: Mapped[uuid.UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    # The last change of a product that was counted; NULL: count again, -infinity: there were no products.
    catalogue_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    counted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
