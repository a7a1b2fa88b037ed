"""How pages write phone numbers."""

from grocery.phones import written_phone


def test_numbers_of_the_shops_own_country_need_no_code() -> None:
    assert written_phone("+254712345678", "KE") == "0712 345678"
    assert written_phone("+254712345678", "TZ") == "+254 712 345678"
    assert written_phone("+441212345678", "KE") == "+44 121 234 5678"
