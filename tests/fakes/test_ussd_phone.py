"""The phone that dials USSD codes: what it sends, and what it does not stand."""

import time
from typing import Any

import pytest

from tests.fakes.africastalking import Callbacks, UssdPhone

AMINA = "+254711000001"


class Menu:
    """A shop's side: says the answers in turn and keeps what it was asked."""

    def __init__(self, *answers: tuple[Any, ...]) -> None:
        self.asked: list[dict[str, str]] = []
        self._answers = iter(answers)

    def __call__(self, address: str, form: dict[str, str]) -> tuple[Any, ...]:
        assert address == "/secret/ussd"
        self.asked.append(form)
        return next(self._answers)

    def phone(self) -> UssdPhone:
        return UssdPhone(Callbacks("/secret", self), AMINA)


def test_session_tells_all_the_keys_so_far() -> None:
    menu = Menu((200, "CON Karibu\n1. Oda"), (200, "CON 1. G-7K3M9Q", "text/plain; charset=utf-8"), (200, "END Packed"))
    phone = menu.phone()

    assert phone.dial() == "Karibu\n1. Oda"
    assert phone.press("1") == "1. G-7K3M9Q"
    assert phone.is_open
    assert phone.press("2") == phone.screen == "Packed"

    assert not phone.is_open
    assert [form["text"] for form in menu.asked] == ["", "1", "1*2"]
    assert menu.asked[0] == {
        "phoneNumber": AMINA,
        "serviceCode": "*384*22384#",
        "text": "",
        "sessionId": phone.session_id,
        "networkCode": "63902",
    }
    assert {form["sessionId"] for form in menu.asked} == {phone.session_id}


def test_new_call_is_a_new_session() -> None:
    menu = Menu((200, "CON a"), (200, "CON b"), (200, "CON a"))
    phone = menu.phone()
    phone.dial()
    phone.press("1")
    first = phone.session_id

    phone.dial()

    assert phone.session_id != first
    assert [form["text"] for form in menu.asked] == ["", "1", ""]


def test_gateway_can_ask_twice() -> None:
    menu = Menu((200, "CON a"), (200, "END Ordered"), (200, "END Ordered"))
    phone = menu.phone()
    phone.dial()
    phone.press("1")

    assert phone.repeat() == "Ordered"

    assert menu.asked[1] == menu.asked[2]


def test_key_after_the_end_is_a_mistake_of_the_test() -> None:
    menu = Menu((200, "END Kwaheri"))
    phone = menu.phone()
    phone.dial()

    with pytest.raises(AssertionError, match="the session has ended"):
        phone.press("1")

    assert len(menu.asked) == 1


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ((404, "CON x"), "HTTP 404"),
        ((201, "CON x"), "HTTP 201"),
        ((200, "CON x", "text/html; charset=utf-8"), "the content type is text/html; charset=utf-8"),
        ((200, " CON x"), "an answer begins with CON or END"),
        ((200, "con x"), "an answer begins with CON or END"),
        ((200, "CONTINUE x"), "an answer begins with CON or END"),
        ((200, "CON\nx"), "an answer begins with CON or END"),
        ((200, ""), "an answer begins with CON or END"),
        ((200, "END  "), "the screen is empty"),
        ((200, "END Ngũgĩ"), "a character is not in the 7-bit alphabet"),
        ((200, "END " + "x" * 183), "183 characters are more than 182"),
        ((200, "END " + "x" * 181 + "€"), "183 characters are more than 182"),
    ],
)
def test_answer_that_no_phone_could_show_ends_the_session(answer: tuple[Any, ...], complaint: str) -> None:
    phone = Menu(answer).phone()

    with pytest.raises(AssertionError, match=complaint):
        phone.dial()

    assert not phone.is_open


def test_full_screen_is_shown() -> None:
    assert Menu((200, "CON " + "x" * 182)).phone().dial() == "x" * 182


def test_slow_menu_ends_the_session() -> None:
    def post(address: str, form: dict[str, str]) -> tuple[int, str]:
        time.sleep(0.1)
        return 200, "CON late"

    phone = UssdPhone(Callbacks("", post), AMINA, patience=0.05)

    with pytest.raises(AssertionError, match=r"the menu took 0\.1 s"):
        phone.dial()

    assert not phone.is_open
