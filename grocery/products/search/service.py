"""The shop's synonyms: list, add, remove."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Row, delete, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from grocery.db import db
from grocery.errors import ConflictError, InvalidError, NotFoundError
from grocery.products.search.models import Synonym
from grocery.products.search.upkeep import note_change
from grocery.products.search.words import words_of

#: Characters of a name. Longer ones are nothing that anyone types.
MAX_LENGTH = 100


def list_synonyms() -> list[Row]:
    """All pairs (`term`, `meaning`, `created_at`) by the alphabet."""
    columns = (Synonym.term, Synonym.meaning, Synonym.created_at)
    return list(db.session.execute(select(*columns).order_by(Synonym.term, Synonym.meaning)).all())


def add_synonym(term: str, meaning: str) -> tuple[str, str]:
    """Have searches for one of the two find the other as well; answers the pair as it is kept.

    Raises InvalidError for what has no words or the same words, or is longer than MAX_LENGTH, and ConflictError
    `synonym_exists` when the pair is there, in this order or the other.
    """
    pair = (_checked(term, "term"), _checked(meaning, "meaning"))
    if words_of(term) == words_of(meaning):
        raise InvalidError("Both are the same.", errors={"meaning": ["Must be another name."]})
    if db.session.scalar(select(Synonym.id).where(_is_pair(*pair))):
        raise ConflictError(f"{pair[0]} = {pair[1]} is there already.", code="synonym_exists")
    add_synonyms([pair])
    return pair


def add_synonyms(pairs: Iterable[tuple[str, str]]) -> None:
    """Add many pairs; those that are there stay as they are."""
    rows = [{"term": term, "meaning": meaning} for term, meaning in pairs]
    db.session.execute(insert(Synonym).values(rows).on_conflict_do_nothing())
    note_change()


def remove_synonym(term: str, meaning: str) -> tuple[str, str]:
    """Forget a pair, given in either order, and answer it; raises NotFoundError when it is not there."""
    pair = (_normal(term), _normal(meaning))
    removed = db.session.scalars(delete(Synonym).where(_is_pair(*pair)).returning(Synonym.id)).all()
    if not removed:
        raise NotFoundError(f"There is no {pair[0]} = {pair[1]}.")
    note_change()
    return pair


def _is_pair(term: str, meaning: str) -> ColumnElement[bool]:
    here = tuple_(Synonym.term, Synonym.meaning)
    return or_(here == (term, meaning), here == (meaning, term))


def _checked(name: str, field: str) -> str:
    normal = _normal(name)
    if not words_of(normal):
        raise InvalidError("A name has no words.", errors={field: ["Must have letters or digits."]})
    if len(normal) > MAX_LENGTH:
        raise InvalidError("A name is too long.", errors={field: [f"Must have {MAX_LENGTH} characters at most."]})
    return normal


def _normal(name: str) -> str:
    return " ".join(name.lower().split())
