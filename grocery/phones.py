"""Phone numbers: parsed with Google's library, kept in E.164 ("+254712345678")."""

import phonenumbers
from phonenumbers import PhoneNumberType

from grocery.errors import InvalidError


def parse_phone(text: str, default_country: str) -> str:
    """The number in E.164; raises InvalidError when it cannot be a phone number.

    Numbers without a country code are read as numbers of `default_country` (ISO 3166 alpha-2).
    """
    try:
        number = phonenumbers.parse(text, default_country)
    except phonenumbers.NumberParseException:
        raise InvalidError("Is not a phone number.", code="invalid_phone") from None
    if not phonenumbers.is_valid_number(number):
        raise InvalidError("Is not a valid phone number.", code="invalid_phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def written_phone(phone: str, default_country: str) -> str:
    """A number in E.164 as people of `default_country` write it: "0712 345678"; with its country code elsewhere."""
    number = phonenumbers.parse(phone)
    is_home = phonenumbers.region_code_for_number(number) == default_country
    form = phonenumbers.PhoneNumberFormat.NATIONAL if is_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def is_mobile(phone: str) -> bool:
    """Whether a number in E.164 can be one of a mobile phone; North America's do not tell, and count as such."""
    kind = phonenumbers.number_type(phonenumbers.parse(phone))
    return kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
