"""Where somebody is in the menu, as it is kept between two steps, and where a key leads from there. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from grocery.orders.ussd.layout import BACK, MAIN_MENU, MORE, Page, Target

MAIN: Target = ["main"]


@dataclass(frozen=True)
class Place:
    """`way` has the screens from the main menu to this one, `offset` is the first entry that is shown of its list.

    `choices` and `following` are those of the page that was shown. `inputs` counts what was keyed in until now.
    """

    language: str
    way: Sequence[Target] = (MAIN,)
    offset: int = 0
    choices: Mapping[str, Target] = field(default_factory=dict)
    following: int | None = None
    inputs: int = 0

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        return cls(**state)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def screen(self) -> Target:
        return self.way[-1]

    def shows(self, page: Page) -> "Place":
        return replace(self, choices=page.choices, following=page.following)

    def enter(self, target: Target) -> "Place":
        return replace(self, way=[*self.way, target], offset=0)

    def main_menu(self) -> "Place":
        return replace(self, way=[MAIN], offset=0)

    def turn(self, key: str) -> "Place | None":
        """Where a key that means the same everywhere leads from here; None for all others."""
        if key == MAIN_MENU:
            return self.main_menu()
        if key == BACK and len(self.way) > 1:
            return replace(self, way=self.way[:-1], offset=0)
        if key == MORE and self.following is not None:
            return replace(self, offset=self.following)
        return None
