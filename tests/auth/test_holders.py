"""Whose phone it is."""

from collections.abc import Callable
from typing import Any

import pytest

from grocery.auth.holders import find_holder
from grocery.notify.extension import Holder
from tests.auth.factories import make_customer

PHONE = "+254712345678"

pytestmark = pytest.mark.usefixtures("context")


def test_unknown_number_has_no_holder() -> None:
    make_customer(phone="+254722000002")
    make_customer(phone=PHONE, is_active=False)
    assert find_holder(PHONE) is None


def test_the_only_account_with_a_number_is_its_holder(run_sql: Callable[..., list[tuple[Any, ...]]]) -> None:
    customer = make_customer(phone=PHONE)
    make_customer(phone=PHONE, is_active=False)
    run_sql("UPDATE customers SET language = 'sw' WHERE id = :id", id=customer.id)
    assert find_holder(PHONE) == Holder(customer.id, "sw")


def test_of_several_the_one_who_has_verified_it_is_the_holder() -> None:
    make_customer(phone=PHONE)
    verified = make_customer(phone=PHONE, is_phone_verified=True)
    make_customer(phone=PHONE)
    assert find_holder(PHONE) == Holder(verified.id, None)


def test_of_several_who_have_not_verified_it_none_is_known() -> None:
    make_customer(phone=PHONE)
    make_customer(phone=PHONE)
    assert find_holder(PHONE) == Holder(None, None)
