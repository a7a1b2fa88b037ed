"""Which of our drawings stands for a product without a photo: by the words of its category. Pure."""

import re
from dataclasses import dataclass

#: The symbols of static/drawings.svg.
DEFAULT = "basket"


@dataclass(frozen=True)
class Drawing:
    """A symbol's name, and the class of the soft tint behind it."""

    name: str
    tint: str


# The first that fits counts, from the most particular words on.
_WORDS = (
    ("egg", "t2", "egg"),
    ("can", "t4", "canned|tin|paste|jam|spread|peanut butter"),
    ("milk", "t3", "dairy|milk|yoghurt|yogurt|cheese|butter|cream"),
    ("leaf", "t1", "leafy|greens|herb|vegetable|salad|root|tuber"),
    ("fruit", "t2", "fruit"),
    ("ice", "t3", "frozen|ice cream"),
    ("meat", "t4", "meat|beef|goat|pork|sausage|bacon|chicken|poultry"),
    ("fish", "t3", "fish|seafood"),
    ("bread", "t2", "bread|baker|cake|biscuit|bun|mandazi|pastr"),
    ("sack", "t5", "flour|rice|cereal|grain|pulse|bean|sugar|salt|pasta|noodle|oat|staple"),
    ("bottle", "t2", "oil|ghee|fat|vinegar|sauce|condiment|beer|wine|spirit|liquor"),
    ("spice", "t4", "spice|season"),
    ("cup", "t5", "tea|coffee|cocoa|breakfast|hot drink"),
    ("drink", "t3", "drink|beverage|juice|soda|water"),
    ("sweet", "t4", "snack|sweet|chocolate|confection|crisp|nut"),
    ("soap", "t3", "clean|laundry|household|detergent|tissue|soap|home|kitchen"),
    ("care", "t4", "beauty|care|hair|skin|hygiene|personal|health|cosmetic"),
    ("baby", "t2", "baby|nappy|diaper|infant"),
    ("paw", "t5", "pet|dog|cat food"),
)
_RULES = tuple((Drawing(name, tint), re.compile(rf"\b({words})", re.IGNORECASE)) for name, tint, words in _WORDS)


def drawing_of(category: str) -> Drawing:
    """The drawing for a path of categories such as `Fruit & Vegetables/Leafy greens`; its last names count first."""
    for name in reversed(category.split("/")):
        for drawing, words in _RULES:
            if words.search(name):
                return drawing
    return Drawing(DEFAULT, "t5")
