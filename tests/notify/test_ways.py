"""By which channels a customer is told: each choice, each kind of event, whatever addresses there are."""

import pytest

from grocery.notify.ways import Way, choose_ways

PHONE, EMAIL = "+254711000001", "amina@example.com"
SMS, MAIL = Way("sms", PHONE), Way("email", EMAIL)
IN_ITS_PLACE = Way("email", EMAIL, is_fallback=True)

# Events that are told by both, by e-mail only because there is no SMS of them, and by e-mail although there is one.
BOTH, ONLY_MAIL, RATHER_MAIL = (("sms", "email"), True), (("email",), False), (("email",), True)


@pytest.mark.parametrize(
    ("notify_by", "kind", "expected"),
    [
        ("sms_and_email", BOTH, [SMS, MAIL]),
        ("sms_and_email", ONLY_MAIL, [MAIL]),
        ("sms_and_email", RATHER_MAIL, [MAIL]),
        ("sms", BOTH, [SMS, IN_ITS_PLACE]),
        ("sms", ONLY_MAIL, []),
        ("sms", RATHER_MAIL, [SMS, IN_ITS_PLACE]),
        ("email", BOTH, [MAIL]),
        ("email", ONLY_MAIL, [MAIL]),
        ("email", RATHER_MAIL, [MAIL]),
    ],
)
def test_who_has_both_addresses_is_told_as_chosen(
    notify_by: str, kind: tuple[tuple[str, ...], bool], expected: list[Way]
) -> None:
    usual, has_sms = kind
    assert choose_ways(notify_by, phone=PHONE, email=EMAIL, usual=usual, has_sms=has_sms) == expected


@pytest.mark.parametrize("kind", [BOTH, ONLY_MAIL, RATHER_MAIL])
@pytest.mark.parametrize("notify_by", ["sms_and_email", "sms", "email"])
def test_who_has_one_address_is_told_there_whatever_they_chose(
    notify_by: str, kind: tuple[tuple[str, ...], bool]
) -> None:
    usual, has_sms = kind
    by_mail = choose_ways(notify_by, phone=None, email=EMAIL, usual=usual, has_sms=has_sms)
    by_phone = choose_ways(notify_by, phone=PHONE, email=None, usual=usual, has_sms=has_sms)
    assert by_mail == [MAIL]
    assert by_phone == ([SMS] if has_sms else [])
    assert choose_ways(notify_by, phone=None, email=None, usual=usual, has_sms=has_sms) == []
