"""The search: what shoppers type, the words of the catalogue, words that mean the same."""

from flask import Flask

from grocery.products.search import keeper, paths, upkeep
from grocery.products.search.keeper import vocabulary
from grocery.products.search.vocabulary import Vocabulary, Word
from grocery.queues import bulk_task

__all__ = ["Vocabulary", "Word", "init_app", "vocabulary"]


def init_app(app: Flask) -> None:
    keeper.init_app(app)
    bulk_task.connect(upkeep.bulk_tasks)
    bulk_task.connect(paths.bulk_tasks)
