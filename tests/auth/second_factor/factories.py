"""People with a second factor. All functions need an application context (the fixture `context`)."""

import time
from dataclasses import dataclass

import pyotp
from sqlalchemy import func, update

from grocery.auth.models import Customer
from grocery.auth.people import Person
from grocery.auth.second_factor import service
from grocery.auth.service import get_person
from grocery.db import db, transaction


@dataclass(frozen=True)
class Factor:
    """What a person has on the phone, and on paper."""

    secret: str
    recovery_codes: list[str]

    def code(self, *, steps: int = 1) -> str:
        """The code of so many steps of 30 s from now. That of this step (0) was spent on turning the factor on."""
        return pyotp.TOTP(self.secret).at(time.time(), counter_offset=steps)

    def wrong_code(self) -> str:
        """Six digits that are the code of no step near now."""
        near = {self.code(steps=steps) for steps in range(-3, 4)}
        return next(
            digits
            for digits in ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777")
            if digits not in near
        )


def turn_on_totp(person: Person) -> Factor:
    """Turn on a second factor for this person, who has proved the e-mail address or phone, as that takes."""
    is_proved = {"email_verified_at": func.now()} if person.email else {"phone_verified_at": func.now()}
    with db.engine.begin() as connection:
        connection.execute(update(Customer).where(Customer.id == person.id).values(is_proved))
    proved = get_person(person.id)
    with transaction():
        secret = service.begin_totp(proved).secret
    with transaction():
        recovery_codes = service.confirm_totp(proved, pyotp.TOTP(secret).now())
    return Factor(secret, recovery_codes)
