"""A walk through all that has a secret in it: what is sent, answered and put into messages on the way."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyotp

PHONE, OTHER_PHONE = "+254711000001", "+254711000002"
EMAIL, STAFF_EMAIL, INVITED_EMAIL = "amina@example.com", "brian@example.com", "invited@example.com"
FIRST_PASSWORD, SECOND_PASSWORD, WRONG_PASSWORD = "first-Secret-Qx81", "second-Secret-Qx82", "wrong-Secret-Qx83"
EASY_PASSWORD = "amina@example.com"


class Answer(Protocol):
    """What the clients of Flask and of requests have in common."""

    status_code: int

    @property
    def headers(self) -> Mapping[str, str]: ...


#: Sends a request, `send("POST", "/auth/otp", json=…, headers=…)`, and answers the JSON and the answer itself.
Send = Callable[..., tuple[Any, Answer]]


@dataclass
class Tour:
    """Walks with `send`; `read_body` reads the last message to somebody. `secrets` are all that were seen, by kind."""

    send: Send
    read_body: Callable[[str], str]
    admin: dict[str, str]
    product_id: int
    secrets: dict[str, set[str]] = field(default_factory=dict)

    def walk(self) -> None:
        """All of it, the mistakes that people make with secrets, too."""
        self.note("password", FIRST_PASSWORD, SECOND_PASSWORD, WRONG_PASSWORD)
        self._register()
        signed_in = self._sign_in()
        self._prove(signed_in)
        self._reset()
        self._use_codes()
        self._use_second_factor()
        self._invite()
        self._shop()
        self._misuse()

    def note(self, kind: str, *secrets: str) -> None:
        for secret in secrets:
            assert len(secret) >= 6, f"{kind} {secret!r} is found anywhere"
            self.secrets.setdefault(kind, set()).add(secret)

    def post(self, path: str, expected: int, json: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        found, answer = self.send("POST", path, json=json, headers=dict(headers or {}))
        assert answer.status_code == expected, (path, answer.status_code, found)
        if token := answer.headers.get("X-Device-Token"):
            self.note("device token", token)
        for pair_token in ("access_token", "refresh_token"):
            if isinstance(found, dict) and pair_token in found:
                # The first parts of all tokens are alike, and say nothing by themselves.
                self.note("token", found[pair_token].rpartition(".")[2])
        if isinstance(found, dict) and "request_token" in found:
            self.note("request token", found["request_token"])
        return found

    def _read(self, kind: str, recipient: str) -> str:
        found = re.search(r"^([\w-]{43})$|\b([0-9]{6})\b", self.read_body(recipient), re.MULTILINE)
        assert found is not None, (kind, recipient)
        secret = found[1] or found[2]
        self.note(kind, secret)
        return str(secret)

    def _register(self) -> None:
        body = {"name": "Amina", "email": EMAIL, "password": FIRST_PASSWORD, "phone": PHONE}
        self.post("/auth/register", 201, body)
        self.post("/auth/register", 409, body)
        self.post("/auth/register", 422, {**body, "password": EASY_PASSWORD})

    def _sign_in(self) -> dict[str, str]:
        pair = self.post("/auth/login", 200, {"email": EMAIL, "password": FIRST_PASSWORD})
        self.post("/auth/login", 401, {"email": EMAIL, "password": WRONG_PASSWORD})
        self.post("/auth/login", 422, {"email": EMAIL, "pasword": WRONG_PASSWORD})
        self.post("/auth/refresh", 401, headers=bearer(pair["access_token"]))
        again = self.post("/auth/refresh", 200, headers=bearer(pair["refresh_token"]))
        return bearer(again["access_token"])

    def _prove(self, signed_in: dict[str, str]) -> None:
        token = self._read("verification", EMAIL)
        self.post("/auth/email/confirm", 403, {"token": token[:-1] + "~"}, signed_in)
        self.post("/auth/email/confirm", 200, {"token": token}, signed_in)
        self.post("/auth/phone/verify", 202, {"password": FIRST_PASSWORD}, signed_in)
        self.post("/auth/phone/confirm", 200, {"code": self._read("verification", PHONE)}, signed_in)

    def _reset(self) -> None:
        self.post("/auth/password/forgot", 202, {"email": EMAIL})
        token = self._read("reset", EMAIL)
        self.post("/auth/password/reset", 422, {"token": token, "password": EASY_PASSWORD})
        self.send("GET", f"/auth/password/reset?token={token}")
        self.post("/auth/password/reset", 204, {"token": token, "password": SECOND_PASSWORD})
        requested = self.post("/auth/password/forgot", 202, {"phone": PHONE})
        code = self._read("reset", PHONE)
        self.post("/auth/password/reset", 204, {"phone": PHONE, "code": code, "password": FIRST_PASSWORD, **requested})

    def _use_codes(self) -> None:
        requested = self.post("/auth/otp", 202, {"phone": OTHER_PHONE})
        code = self._read("sign-in code", OTHER_PHONE)
        self.post("/auth/otp/login", 401, {"phone": OTHER_PHONE, "code": f"{(int(code) + 1) % 1_000_000:06}"})
        self.post("/auth/otp/login", 422, {"phone": OTHER_PHONE, "code": int(code)})
        self.send("GET", f"/auth/otp/login?code={code}")
        self.post("/auth/otp/login", 200, {"phone": OTHER_PHONE, "code": code, **requested})

    def _use_second_factor(self) -> None:
        person = self.post("/auth/login", 200, {"email": EMAIL, "password": FIRST_PASSWORD})
        own = bearer(person["access_token"])
        begun = self.post("/auth/totp", 200, {"password": FIRST_PASSWORD}, own)
        secret = re.search(r"secret=([A-Z2-7]+)", begun["uri"])
        assert secret is not None
        self.note("TOTP secret", secret[1])
        totp = pyotp.TOTP(secret[1])
        self.post("/auth/totp/confirm", 403, {"code": "000000"}, own)
        now = totp.now()
        codes = self.post("/auth/totp/confirm", 200, {"code": now}, own)["recovery_codes"]
        self.note("recovery code", *codes)
        self.note("TOTP code", now)
        login = {"email": EMAIL, "password": FIRST_PASSWORD}
        self.post("/auth/login", 401, login)
        following = totp.at(time.time(), counter_offset=1)
        self.note("TOTP code", following)
        self.post("/auth/login", 401, {**login, "totp": "000000"})
        self.post("/auth/login", 200, {**login, "totp": following})
        self.post("/auth/login", 200, {**login, "recovery_code": codes[0]})
        self.post("/auth/login", 401, {**login, "recovery_code": codes[0]})

    def _invite(self) -> None:
        self.post("/auth/users", 201, {"name": "Chao", "email": INVITED_EMAIL, "role": "staff"}, self.admin)
        token = self._read("invitation", INVITED_EMAIL)
        self.post("/auth/password/reset", 204, {"token": token, "password": SECOND_PASSWORD})

    def _shop(self) -> None:
        _, answer = self.send("GET", "/cart")
        cart = {"X-Cart-Token": answer.headers["X-Cart-Token"]}
        self.note("cart token", cart["X-Cart-Token"])
        path, item = f"/cart/items/{self.product_id}", {"quantity": 1}
        self.send("PUT", path, json=item, headers=cart)
        self.send("PUT", path, json={"quantity": "many"}, headers=cart)
        requested = self.post("/auth/otp", 202, {"phone": OTHER_PHONE})
        code = {"phone": OTHER_PHONE, "code": self._read("sign-in code", OTHER_PHONE), **requested}
        own = bearer(self.post("/auth/otp/login", 200, code)["access_token"])
        order = self.post("/orders/", 201, {"items": [{"product_id": self.product_id, "quantity": 1}]}, own)
        _, answer = self.send("GET", f"/orders/{order['id']}/stream", headers=own, allow_redirects=False)
        self.note("stream ticket", answer.headers["Location"].partition("ticket=")[2])
        link = re.search(r"/t/([\w-]+)", self.read_body(OTHER_PHONE))
        assert link is not None
        self.note("tracking link", link[1])
        self.send("GET", f"/t/{link[1]}")
        self.send("GET", f"/t/{link[1]}x/nowhere?{link[1]}")
        self.post(f"/orders/{order['id']}/cancel", 200, {}, own)

    def _misuse(self) -> None:
        """Secrets where none belong, and bodies and cookies that are none."""
        seen = [secret for kind in self.secrets.values() for secret in kind if secret.isprintable()]
        for secret in seen[:40]:
            self.send("GET", f"/auth/me?token={secret}", headers={"Authorization": f"Bearer {secret}x"})
            self.send("GET", "/auth/me", headers={"Authorization": f"Basic {secret}"})
            self.send("GET", "/cart", headers={"Cookie": f"access={secret}; csrf={secret}; cart={secret}"})
            self.send("POST", "/auth/login", data=f'{{"password": "{secret}"', headers=_AS_JSON)
            self.send("POST", "/auth/login", data=f"password={secret}", headers=_AS_FORM)
            self.send(
                "PUT", "/cart", headers={"X-CSRF-Token": secret, "X-Device-Token": secret, "X-Cart-Token": secret}
            )


_AS_JSON = {"Content-Type": "application/json"}
_AS_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def found_in(lines: str, secrets: Mapping[str, set[str]]) -> list[str]:
    """The kinds of secrets that stand in these lines. Six digits count as a word of their own only."""
    return [
        f"{kind}: {secret}"
        for kind, values in secrets.items()
        for secret in values
        if (re.search(rf"(?<![\w.-]){secret}(?![\w.-])", lines) if secret.isdigit() else secret in lines)
    ]
