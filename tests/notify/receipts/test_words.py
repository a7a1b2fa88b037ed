"""What the words of reports mean."""

import pytest

from grocery.notify.models import STATUSES
from grocery.notify.receipts.words import explain, is_blocked, meaning_of, next_status
from tests.fakes.africastalking.callbacks import FINAL, INTERIM, UNREACHED


def test_every_word_of_the_provider_has_a_meaning() -> None:
    assert {word: meaning_of(word) for word in INTERIM} == dict.fromkeys(INTERIM, "sent")
    assert {word: meaning_of(word) for word in FINAL | UNREACHED} == {
        "Success": "delivered",
        "Rejected": "failed",
        "Failed": "failed",
        "AbsentSubscriber": "sent",
        "Expired": "failed",
    }


@pytest.mark.parametrize("word", ["Delivered", "sent ", "", "Succes"])
def test_other_words_have_none(word: str) -> None:
    assert meaning_of(word) is None
    assert [next_status(status, word) for status in STATUSES] == [None] * len(STATUSES)


@pytest.mark.parametrize(
    ("word", "moves"),
    [
        ("Buffered", {"unknown": "sent"}),
        ("SUCCESS", {"unknown": "delivered", "sent": "delivered", "pending": "delivered"}),
        ("Rejected", {"unknown": "failed", "sent": "failed"}),
        ("Failed", {"unknown": "failed", "sent": "failed"}),
    ],
)
def test_words_move_messages_forward_only(word: str, moves: dict[str, str]) -> None:
    assert {status: next_status(status, word) for status in STATUSES if next_status(status, word)} == moves


def test_only_the_block_list_blocks() -> None:
    assert [is_blocked(reason) for reason in ("UserInBlackList", "UserInBlacklist")] == [True, True]
    assert [is_blocked(reason) for reason in (None, "UserIsInactive", "DeliveryFailure")] == [False] * 3


def test_failure_is_explained() -> None:
    assert explain("Failed", "UserIsInactive") == "The network reported Failed: UserIsInactive."
    assert explain("Rejected", None) == "The network reported Rejected: no reason given."
