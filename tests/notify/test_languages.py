"""Every text in every language: all values that there may be, none that may be missing, nothing of the other one."""

import re
from copy import deepcopy
from typing import Any

import pytest
from jinja2 import UndefinedError, meta
from jinja2.nodes import Getattr, Name

from grocery.config import LANGUAGES
from grocery.notify.wording import gsm7
from grocery.notify.wording.catalogue import TEMPLATES, TextKey, built_in_source, list_keys
from grocery.notify.wording.environment import make_environment
from grocery.notify.wording.samples import USUAL, Shop, make_samples
from grocery.notify.wording.texts import render
from tests.notify.factories import CHANGE, PICKUP, SLOT, order_context

EACH = {"quantity": "2", "unit": "each"}
WEIGHT = {"quantity": "0.75", "unit": "kg"}
PHRASES: dict[str, dict[str, Any]] = {
    "added": {"say": "added", "amount": WEIGHT, "name": "Beef"},
    "resized": {"say": "resized", "amount": EACH, "before": "5", "name": "Soap"},
    "removed": {"say": "removed", "name": "Soap"},
    "withdrawn": {"say": "withdrawn", "name": "Soap"},
    "refused": {"say": "refused", "name": "Soap"},
    "missing": {"say": "missing", "name": "Soap"},
    "short": {"say": "short", "amount": EACH, "name": "Soap"},
    "replaced": {"say": "replaced", "amount": EACH, "name": "Omo", "instead_of": "Soap"},
    "undelivered": {"say": "undelivered"},
    "uncollected": {"say": "uncollected"},
    "erased": {"say": "erased"},
}
SENTENCES = {
    "en": {
        "added": "Added: 0.75 kg Beef.",
        "resized": "Now 2 x Soap instead of 5.",
        "removed": "Taken out: Soap.",
        "withdrawn": "No longer available and taken out: Soap.",
        "refused": "Not taken: Soap.",
        "missing": "Not available: Soap.",
        "short": "Only 2 x Soap.",
        "replaced": "2 x Omo instead of Soap.",
        "undelivered": "We could not deliver it.",
        "uncollected": "Nobody collected it.",
        "erased": "The customer's account was deleted.",
    },
    "sw": {
        "added": "Imeongezwa: 0.75 kg Beef.",
        "resized": "Sasa ni 2 x Soap badala ya 5.",
        "removed": "Imeondolewa: Soap.",
        "withdrawn": "Haipatikani tena, imeondolewa: Soap.",
        "refused": "Imekataliwa: Soap.",
        "missing": "Haipatikani: Soap.",
        "short": "Ni 2 x Soap pekee.",
        "replaced": "2 x Omo badala ya Soap.",
        "undelivered": "Hatukuweza kuifikisha.",
        "uncollected": "Haikuchukuliwa.",
        "erased": "Akaunti ya mteja ilifutwa.",
    },
}
# Words that an English sentence hardly does without, and that Swahili does not have.
ENGLISH = re.compile(
    r"\b(the|your|you|our|we|it|is|was|are|has|have|of|and|with|for|to|from|at|in|on|not|this|that|order|shop|total|"
    r"please|thank|thanks|delivery|delivered|pickup|payment|cash|customer|phone|status|new|now|left|more|when|note|none)\b",
    re.IGNORECASE,
)
# What is data here, and what is said in English on purpose: commands, settings, names of buttons.
DATA = re.compile(
    r"flask --app wsgi .*|Test Grocer|Mama Wanjiku's Fresh Fruit and More|https?://\S+|\S+@\S+|\"Unsubscribe\"|"
    r"near Shell, blue gate|Ring twice|Our van is 20 minutes late|The provider did not answer|Mangoes, three for two|"
    r"This week: mangoes, three for KES 100, until Sunday|See you at the shop!"
)
LONGEST = {
    "name": "Brookside Dairy Best Whole Long-Life Milk 500 ml TCA Fino – Njeri’s “Family Pack” " * 2,
    "note": "Samahani, lori letu limekwama kwenye foleni ya Thika Road. " * 8,
    "total": "KES 1,234,567.50",
    "price": "KES 1,234,567.50",
    "url": "https://www.mama-wanjikus-fresh-groceries.co.ke",
    "track_url": "https://www.mama-wanjikus-fresh-groceries.co.ke/t/1234567-1YpY7nstFrgOGTon",
}
SHOPS = [
    Shop("Test Grocer", "http://shop.example", "KES"),
    Shop("Mama Wanjiku's Fresh Fruit and More", None, "KES"),
]
every_language = pytest.mark.parametrize("language", LANGUAGES)


def usual(event: str) -> dict[str, Any]:
    return deepcopy(make_samples(event, SHOPS[0])[USUAL])


def names_used(key: TextKey, root: str | None = None) -> set[str]:
    """The context's names that a text reads itself; those below `root` when given."""
    tree = make_environment().parse(built_in_source(key))
    if root is None:
        return meta.find_undeclared_variables(tree) - {"row", "rule", "is_tight"}
    return {node.attr for node in tree.find_all(Getattr) if isinstance(node.node, Name) and node.node.name == root}


def test_the_languages_have_the_same_texts() -> None:
    english, swahili = ({path.name for path in (TEMPLATES / language).iterdir()} for language in LANGUAGES)

    assert LANGUAGES == ("en", "sw")
    assert english == swahili
    assert {"_order.txt", "_phrases.txt", "order_placed.customer.sms.txt"} < english


def assert_reads_well(key: TextKey, shop: Shop, variant: str, context: dict[str, Any]) -> None:
    text = render(key.event, key.audience, key.channel, context, key.language)
    words = f"{text.subject or ''}\n{text.body}"
    where = f"{key}, {variant}: {words}"

    assert not re.search(r"None|[{}]|\[\]", words), where
    assert shop.name[:20] in words, where
    assert "\n\n\n" not in text.body, where
    assert not [line for line in words.splitlines() if line != line.rstrip()], where
    if key.channel == "sms":
        assert text.subject is None, where
        # One line, but for the last one of a code, which phones read.
        assert "\n" not in re.sub(r"\n@\S+ #[0-9]{6}$", "", text.body), where
        assert "  " not in text.body, where
        assert (gsm7.is_gsm7(text.body), gsm7.parts(text.body)) == (True, 1), where
    else:
        assert text.subject, where
        assert "\n" not in text.subject, where
        assert variant != USUAL or max(map(len, text.body.splitlines())) <= 80, where
    if key.language == "sw":
        assert ENGLISH.findall(DATA.sub("", words)) == [], where


# All texts in one test, not each in its own: what a test costs by itself is more than what reading a text does.
@pytest.mark.parametrize("shop", SHOPS, ids=["short", "long"])
def test_every_text_reads_well_whatever_there_is_to_say(shop: Shop) -> None:
    for key in list_keys():
        for variant, context in make_samples(key.event, shop).items():
            assert_reads_well(key, shop, variant, context)


def stretched(value: Any, name: str = "") -> Any:
    """A sample with the longest that its values may be."""
    if isinstance(value, dict):
        return {name: stretched(entry, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [stretched(entry, name) for entry in value]
    return LONGEST.get(name, value)


@every_language
def test_every_sms_is_one_however_long_names_and_prices_are(language: str) -> None:
    shop = Shop("Mama Wanjikũ’s Fresh Groceries & Household Goods – Westlands", LONGEST["url"], "KES")
    for key in list_keys():
        if (key.channel, key.language) == ("sms", language):
            for variant, context in make_samples(key.event, shop).items():
                text = render(key.event, key.audience, key.channel, stretched(context), key.language)
                assert gsm7.parts(text.body) == 1, (key, variant, text.body)


@every_language
def test_missing_value_is_an_error_not_a_gap(language: str) -> None:
    for key in list_keys():
        if key.language != language:
            continue
        values = [(None, name) for name in names_used(key)] + [
            (root, name)
            for root in {"order", "notification", "product"} & usual(key.event).keys()
            for name in names_used(key, root)
        ]
        for root, name in values:
            context = usual(key.event)
            del (context if root is None else context[root])[name]
            with pytest.raises(UndefinedError):
                pytest.fail(f"{key} {root} {name}: {render(*key[:3], context, key.language)}")


def test_both_languages_read_the_same_values() -> None:
    for key in list_keys():
        for root in (None, "order", "notification", "product", "customer"):
            assert names_used(key, root) == names_used(key._replace(language="en"), root), key


@every_language
@pytest.mark.parametrize("say", PHRASES)
def test_what_was_changed_is_a_sentence_of_each_language(say: str, language: str) -> None:
    sentence = SENTENCES[language][say]
    context = order_context(change=[PHRASES[say], CHANGE], picking=[PHRASES[say]], note=None)
    sms = render("order_changed", "customer", "sms", {**context, "change": [PHRASES[say]]}, language).body
    email = render("order_changed", "customer", "email", context, language).body

    assert f". {sentence} " in sms
    assert f"\n{sentence}\n{SENTENCES[language]['withdrawn'].replace('Soap', CHANGE['name'])}\n" in email
    assert f"\n\n{sentence}\n\n" in render("order_shipped", "customer", "email", context, language).body
    assert f"\n\n{sentence}\n\n" in render("order_delivered", "customer", "email", context, language).body


@every_language
def test_unknown_change_is_an_error_not_a_gap(language: str) -> None:
    with pytest.raises(UndefinedError):
        render("order_changed", "customer", "sms", order_context(change=[{"say": "vanished"}]), language)


@every_language
@pytest.mark.parametrize("name", ["status", "payment"])
def test_unknown_code_is_an_error_not_a_gap(name: str, language: str) -> None:
    with pytest.raises(UndefinedError):
        render("order_updated", "admin", "email", order_context(order={name: "barter"}), language)


@pytest.mark.parametrize("note", ["Samahani, tumeishiwa", None])
def test_the_reason_of_a_cancelled_order_is_the_note_and_without_one_the_change(note: str | None) -> None:
    context = order_context(note=note, change=[PHRASES["withdrawn"]])
    reason = "Samahani, tumeishiwa." if note else "Haipatikani tena, imeondolewa: Soap."

    assert render("order_cancelled", "customer", "sms", context, "sw").body == (
        f"Test Grocer: oda G-7K3M9Q imeghairiwa. {reason} Karibu uagize tena wakati wowote."
    )
    assert f"imeghairiwa.\n{reason}\n\n" in render("order_cancelled", "customer", "email", context, "sw").body
    for_admin = render("order_cancelled", "admin", "email", context, "sw").body
    assert f"\nSababu: {note or 'Haipatikani tena, imeondolewa: Soap.'}\n\nOda: G-7K3M9Q\n" in for_admin


def test_erased_account_has_no_name() -> None:
    nobody = {"customer": {"name": None, "phone": None, "email": None}, "change": [PHRASES["erased"]], "note": None}
    english = render("order_cancelled", "admin", "email", order_context(**nobody)).body
    swahili = render("order_cancelled", "admin", "email", order_context(**nobody), "sw").body

    assert "Reason: The customer's account was deleted.\n" in english
    assert "Customer: a deleted account\nPhone: none\nE-mail: none\n" in english
    assert "Mteja: akaunti iliyofutwa\nSimu: hakuna\nBarua pepe: hakuna\n" in swahili


def test_sms_in_swahili() -> None:
    def sms(event: str, **order: Any) -> str:
        return render(event, "customer", "sms", order_context(order=order, note=None), "sw").body

    assert sms("order_placed") == (
        "Test Grocer: tumepokea oda G-7K3M9Q, KES 1,250. Tutakuarifu itakapokuwa njiani. Asante!"
    )
    assert sms("order_placed", slot=SLOT) == (
        "Test Grocer: tumepokea oda G-7K3M9Q, KES 1,250. Italetwa Jumamosi 28 Nov 10:00-12:00. Asante!"
    )
    assert sms("order_placed", **PICKUP) == (
        "Test Grocer: tumepokea oda G-7K3M9Q, KES 1,250. Kuchukua dukani. Tutakuarifu ikiwa tayari. Asante!"
    )
    assert sms("order_shipped") == (
        "Test Grocer: oda G-7K3M9Q iko njiani kuja kwako. Tafadhali kaa karibu na simu. Jumla: KES 1,250."
    )
    assert sms("order_delivered") == (
        "Test Grocer: oda G-7K3M9Q imefika. Asante kwa kununua kwetu! "
        "Ukiona kasoro yoyote, tuambie nasi tutairekebisha."
    )


def test_email_in_swahili() -> None:
    text = render("order_placed", "customer", "email", order_context(order={"slot": SLOT}), "sw")

    assert text.subject == "Tumepokea oda yako G-7K3M9Q - asante!"
    assert text.body == (
        "Habari Amina Odhiambo,\n"
        "\n"
        "asante kwa oda yako kwa Test Grocer.\n"
        "Tumeipokea, na tunaitayarisha.\n"
        "\n"
        "Oda G-7K3M9Q\n"
        "\n"
        "Sukuma Wiki (Kale)\n"
        "  1.5 kg kwa KES 60                   KES 90\n"
        "Brookside Milk 500 ml\n"
        "  2 x KES 65                         KES 130\n"
        "--------------------------------------------\n"
        "Jumla ya bidhaa                    KES 1,050\n"
        "Kuletewa                             KES 200\n"
        "Jumla                              KES 1,250\n"
        "VAT iliyo ndani yake               KES 70.50\n"
        "\n"
        "Kuletewa: Moi Avenue 5, near Shell, blue gate\n"
        "Wakati: Jumamosi 28 Nov 10:00-12:00\n"
        "Malipo: Pesa taslimu unapopokea\n"
        "Maelezo yako: Ring twice\n"
        "\n"
        "Tutakuandikia tena itakapokuwa njiani.\n"
        "\n"
        "Test Grocer\n"
        "http://shop.example\n"
    )


def test_campaign_tells_how_to_get_no_more_offers() -> None:
    context = usual("campaign")

    assert render("campaign", "customer", "sms", context).body == (
        "Test Grocer: This week: mangoes, three for KES 100, until Sunday. STOP OFFERS to opt out."
    )
    assert render("campaign", "customer", "sms", context, "sw").body == (
        "Test Grocer: This week: mangoes, three for KES 100, until Sunday. Tuma ACHA OFA kujitoa."
    )
    email = render("campaign", "customer", "email", context)
    assert email.subject == "Mangoes, three for two"
    assert email.body == (
        "This week: mangoes, three for KES 100, until Sunday.\n\nSee you at the shop!\n\n"
        "Test Grocer\nhttp://shop.example\n\n"
        "You get our offers because you asked for them. To get no more, choose\n"
        '"Unsubscribe" in your mail program, or change it in your account.\n'
    )


def test_sign_in_code_stands_first() -> None:
    context = usual("sign_in_code")

    assert render("sign_in_code", "customer", "sms", context).body == (
        "493027 is your sign-in code for Test Grocer. It works for 10 minutes. Give it to nobody, not even to us."
    )
    assert render("sign_in_code", "customer", "sms", context, "sw").body == (
        "493027 ni nambari yako ya kuingia Test Grocer. Inatumika kwa dakika 10. Usiitoe kwa mtu yeyote, hata kwetu."
    )


def test_last_line_of_a_sign_in_code_binds_it_to_the_domain_of_the_shop() -> None:
    context = {**usual("sign_in_code"), "domain": "grocery.example"}

    for language in ("en", "sw"):
        lines = render("sign_in_code", "customer", "sms", context, language).body.splitlines()
        assert (len(lines), lines[1]) == (2, "@grocery.example #493027")


def test_mails_with_codes_have_a_link_to_the_page_where_it_is_used() -> None:
    pages = {"verify_email": "verify", "reset_password": "reset", "invitation": "invitation"}
    for event, page in pages.items():
        for language in ("en", "sw"):
            link = f"http://shop.example/{page}?token=493027"
            lines = render(event, "customer", "email", usual(event), language).body.splitlines()
            assert lines.count(link) == lines.count("493027") == 1
            bare = {**usual(event), "url": None}
            assert "token=" not in render(event, "customer", "email", bare, language).body
