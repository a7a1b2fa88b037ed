"""Which tests run where and when: by files, on more workers than there are cores, since many tests wait.

What takes long begins first, so that no worker has a long file left when the others are done.
"""

import pytest
from xdist.scheduler import LoadFileScheduling

# One worker starts the whole shop as processes, and has all that needs it.
_ON_THE_SHOP = ("tests/e2e/", "tests/browser/test_tracking.py", "tests/browser/test_walk_picking.py")

_LONG = (
    *_ON_THE_SHOP,
    "tests/rollout/",
    "tests/dev/",
    "tests/browser/test_accessibility.py",
    "tests/test_worker",
    "tests/browser/test_swagger.py",
    "tests/data/",
    "tests/notify/sending/",
    "tests/test_schemathesis.py",
    "tests/embedded/",
    "tests/browser/",
    "tests/orders/test_life_histories.py",
    "tests/storefront/desk/test_attacks.py",
    "tests/notify/campaigns/test_writing.py",
    "tests/orders/test_races.py",
)


class Scheduling(LoadFileScheduling):
    """A worker takes a whole file, or all those that share something that is slow to start."""

    def _split_scope(self, nodeid: str) -> str:
        return _ON_THE_SHOP[0] if nodeid.startswith(_ON_THE_SHOP) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    return next((place for place, start in enumerate(_LONG) if nodeid.startswith(start)), len(_LONG))
