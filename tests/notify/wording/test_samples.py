"""The samples: every text can be written with all of them."""

import pytest

from grocery.config import LANGUAGES
from grocery.notify.wording import gsm7
from grocery.notify.wording.catalogue import TextKey, built_in_source, get_key, list_keys
from grocery.notify.wording.errors import TextNotFoundError
from grocery.notify.wording.grammar import compile_source
from grocery.notify.wording.samples import USUAL, Shop, make_samples
from grocery.notify.wording.texts import render, write_own

SHOP = Shop("Test Grocer", "http://shop.example", "KES")


def test_the_catalogue_has_each_text_in_each_language() -> None:
    keys = list_keys()

    assert TextKey("order_placed", "customer", "sms", "sw") in keys
    assert list(keys) == sorted(set(keys))
    assert {key._replace(language="en") for key in keys} == {key for key in keys if key.language == "en"}
    assert len(keys) == len(LANGUAGES) * len([key for key in keys if key.language == "en"])
    assert not [key for key in keys if key.event.startswith("_")]


def test_text_that_there_is_not_cannot_be_named() -> None:
    with pytest.raises(TextNotFoundError, match=r"There is no text en/order_packed\.customer\.sms\."):
        get_key("order_packed", "customer", "sms", "en")


@pytest.mark.parametrize("key", list_keys(), ids=str)
def test_every_text_has_samples_and_can_be_written_with_each(key: TextKey) -> None:
    samples = make_samples(key.event, SHOP)

    assert next(iter(samples)) == USUAL
    for context in samples.values():
        text = render(key.event, key.audience, key.channel, context, key.language)
        assert "None" not in text.body
        if key.channel == "sms":
            assert gsm7.parts(text.body) == 1


@pytest.mark.parametrize("key", list_keys(), ids=str)
def test_the_programs_text_is_one_that_the_shop_could_have_written(key: TextKey) -> None:
    """Who changes a text begins with the program's: nothing in it may be forbidden to own texts."""
    source = built_in_source(key)
    for context in make_samples(key.event, SHOP).values():
        own = compile_source(source, key.language, {*context, "is_tight"})
        assert write_own(own, key.channel, context) == render(*key[:3], context, key.language)


def test_samples_of_a_shop_without_an_address_have_no_links() -> None:
    usual = make_samples("order_placed", Shop("Test Grocer", None, "UGX"))[USUAL]

    assert (usual["url"], usual["track_url"], usual["order"]["total"]) == (None, None, "UGX 1,250")
