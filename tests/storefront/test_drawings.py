"""Drawings for products without a photo."""

import re

import pytest

from grocery.storefront import drawings
from grocery.storefront.assets import FOLDER
from grocery.storefront.drawings import DEFAULT, drawing_of

_FILE = (FOLDER / "drawings.svg").read_text()


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("Fruit & Vegetables/Leafy greens", "leaf"),
        ("Fruit & Vegetables/Fruit", "fruit"),
        ("Dairy & Eggs/Eggs", "egg"),
        ("Dairy & Eggs/Milk", "milk"),
        ("Breakfast & Spreads/Jam & peanut butter", "can"),
        ("Frozen Food", "ice"),
        ("Beer, Wine & Spirits", "bottle"),
        ("Meat & Fish/Fish", "fish"),
        ("Meat & Fish/House specials", "meat"),
        ("Odds and ends", DEFAULT),
        ("", DEFAULT),
    ],
)
def test_the_last_name_of_the_path_that_says_something_counts(category: str, name: str) -> None:
    assert drawing_of(category).name == name


def test_every_drawing_that_is_named_is_there_once_and_takes_the_colour_of_its_place() -> None:
    symbols = re.findall(r'<symbol id="(\w+)"([^>]*)>', _FILE)
    names = [name for name, _ in symbols]
    assert {rule.name for rule, _ in drawings._RULES} | {DEFAULT, "van"} == set(names)
    assert len(names) == len(set(names))
    for name, attributes in symbols:
        assert 'viewBox="0 0 48 48"' in attributes, name
        assert 'stroke="currentColor"' in attributes, name


def test_the_drawings_have_nothing_that_runs_or_loads() -> None:
    assert not re.search(r"<script|href|url\(|style|on\w+=", _FILE)
