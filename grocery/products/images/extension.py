"""The app's store of pictures."""

from functools import cached_property

from flask import Flask, current_app

from grocery.config import Settings
from grocery.products.images.stores import Store, make_store


class Media:
    """Makes the store when it is first used: in the process that uses it, never before a fork."""

    def __init__(self, settings: Settings):
        self._settings = settings

    @cached_property
    def store(self) -> Store:
        return make_store(self._settings)


def init_app(app: Flask) -> None:
    app.extensions["media"] = Media(app.extensions["settings"])


def store() -> Store:
    """The current app's store; raises MediaUnavailableError when it cannot be opened."""
    media: Media = current_app.extensions["media"]
    return media.store
