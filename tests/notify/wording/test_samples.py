"""The samples: every text can be written with all of them."""

import pytest

from grocery.config import LANGUAGES
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_programs_texts_are_such_as_the_shop_could_have_written(language: str) -> None:
    """Who changes a text begins with the program's: nothing in it may be forbidden to own texts."""
    for key in list_keys():
        if key.language != language:
            continue
        samples = make_samples(key.event, SHOP)
        assert next(iter(samples)) == USUAL, key
        own = compile_source(built_in_source(key), key.language, {*samples[USUAL], "is_tight"})
        for variant, context in samples.items():
            assert context.keys() == samples[USUAL].keys(), (key, variant)
            assert write_own(own, key.channel, context) == render(*key[:3], context, key.language), (key, variant)


def test_samples_of_a_shop_without_an_address_have_no_links() -> None:
    usual = make_samples("order_placed", Shop("Test Grocer", None, "UGX"))[USUAL]

    assert (usual["url"], usual["track_url"], usual["order"]["total"]) == (None, None, "UGX 1,250")
