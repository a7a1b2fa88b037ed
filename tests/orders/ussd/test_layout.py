"""What fits on a phone: pages of lists, and screens that are never too long."""

from hypothesis import given, settings
from hypothesis import strategies as st

from grocery.orders.ussd.layout import Entry, Screen, lay_out
from grocery.orders.ussd.phrases import PHRASES
from tests.fakes.africastalking.septets import septets

EN, SW = PHRASES["en"], PHRASES["sw"]

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=300)
_ENTRIES = st.lists(st.builds(Entry, _TEXTS, st.sampled_from([None, ["order", 1]])), max_size=12)


def numbered(*labels: str) -> list[Entry]:
    return [Entry(label, ["order", number]) for number, label in enumerate(labels, start=1)]


def test_a_list_with_its_choices_and_ways_out() -> None:
    page = lay_out(Screen("Your orders:", numbered("G-1: packed", "G-2: delivered")), EN, depth=2)
    assert page.text == "Your orders:\n1 G-1: packed\n2 G-2: delivered\n0 Back"
    assert page.choices == {"1": ["order", 1], "2": ["order", 2]}
    assert page.following is None


def test_the_main_menu_leads_nowhere_back_and_deeper_screens_lead_to_it() -> None:
    assert lay_out(Screen("Shop"), EN, depth=1).text == "Shop"
    assert lay_out(Screen("Deep"), EN, depth=3).text == "Deep\n0 Back 00 Main menu"
    assert lay_out(Screen("Ndani"), SW, depth=3).text == "Ndani\n0 Rudi 00 Menyu"


def test_the_end_has_no_ways_out() -> None:
    assert lay_out(Screen("Thank you!", is_end=True), EN, depth=3).text == "Thank you!"


def test_a_page_has_five_entries_and_the_next_one_goes_on_counting() -> None:
    screen = Screen("Zones", numbered(*(f"Zone {number}" for number in range(1, 8))))
    first = lay_out(screen, EN, depth=2)
    assert first.text == "Zones\n1 Zone 1\n2 Zone 2\n3 Zone 3\n4 Zone 4\n5 Zone 5\n98 More\n0 Back"
    assert first.following == 5
    second = lay_out(screen, EN, depth=2, offset=5)
    assert (second.text, second.following) == ("Zones\n6 Zone 6\n7 Zone 7\n0 Back", None)
    assert second.choices == {"6": ["order", 6], "7": ["order", 7]}


def test_entries_that_do_not_fit_go_to_the_next_page() -> None:
    screen = Screen("Zones", numbered(*[letter * 55 for letter in "abcde"]))
    first = lay_out(screen, EN, depth=2)
    assert first.text == f"Zones\n1 {'a' * 55}\n2 {'b' * 55}\n98 More\n0 Back"
    assert first.following == 2


def test_actions_stand_on_each_page() -> None:
    lines = [Entry(f"{number} Maize Flour") for number in range(1, 8)]
    screen = Screen("Total KES 1,250", lines, actions=[Entry("Order this", ["place", 1])])
    for offset in (0, 5):
        page = lay_out(screen, EN, depth=3, offset=offset)
        assert "\n1 Order this\n" in page.text
        assert page.choices == {"1": ["place", 1]}


def test_a_notice_comes_first_and_takes_its_room_from_the_list() -> None:
    screen = Screen("Zones", numbered(*[letter * 48 for letter in "abcd"]))
    assert lay_out(screen, EN, depth=2).following == 3
    page = lay_out(screen, EN, depth=2, notice=EN.wrong_choice)
    assert page.text.startswith("That is not on the list.\nZones\n1 aaa")
    assert page.following == 2


def test_names_with_other_letters_become_plain() -> None:
    page = lay_out(Screen("Ngũgĩ’s", [Entry("Café 🥑", ["order", 1])]), EN, depth=2)
    assert page.text == "Ngugi's\n1 Café ?\n0 Back"


@given(
    text=_TEXTS,
    entries=_ENTRIES,
    actions=st.lists(st.just(Entry("Cancel this order", ["cancel", 1])), max_size=1),
    language=st.sampled_from(["en", "sw"]),
    depth=st.integers(1, 4),
    notice=st.sampled_from(["", EN.wrong_choice, SW.wrong_choice, SW.confirm_again]),
)
@settings(max_examples=100, deadline=None)
def test_no_page_is_ever_too_long_and_no_entry_is_lost(
    text: str, entries: list[Entry], actions: list[Entry], language: str, depth: int, notice: str
) -> None:
    screen, offset, seen = Screen(text, entries, actions), 0, 0
    while True:
        page = lay_out(screen, PHRASES[language], depth=depth, offset=offset, notice=notice)
        size = septets(page.text)
        assert size is not None
        assert size <= 182
        if page.following is None:
            break
        assert page.following > offset
        seen, offset = seen + page.following - offset, page.following
    assert seen + min(5, len(entries) - offset) >= len(entries)
