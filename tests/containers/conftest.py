"""The image, built once, and the shop of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.engine import ComposedShop, build, build_pgbouncer, copy_of_the_project, why_not


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of which the image was built."""
    if reason := why_not():
        pytest.skip(reason)
    directory = copy_of_the_project(tmp_path_factory.mktemp("image") / "grocery")
    build(directory)
    build_pgbouncer(directory)
    return directory


@pytest.fixture(scope="module")
def shop(built: Path) -> Iterator[ComposedShop]:
    """The whole shop, started by `docker compose up`."""
    shop = ComposedShop.prepared(built)
    try:
        shop.compose("up", "--detach", seconds=600)
        yield shop
    finally:
        shop.compose("down", "--volumes", "--timeout", "2")
