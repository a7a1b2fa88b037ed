"""Fields of what people send as their second factor."""

from typing import Any

from marshmallow import validate

from grocery.fields import Text


class TotpCode(Text):
    """Six digits, as an authenticator app shows them: "123456", or "123 456"."""

    def __init__(self, **kwargs: Any):
        kwargs["validate"] = [validate.Regexp("^[0-9]{3} ?[0-9]{3}$", error="Must be the six digits of the app.")]
        super().__init__(**kwargs)


class RecoveryCode(Text):
    """As it was shown; upper and lower case, hyphens and spaces do not matter."""

    def __init__(self, **kwargs: Any):
        kwargs["validate"] = [validate.Length(min=1, max=64)]
        super().__init__(**kwargs)
