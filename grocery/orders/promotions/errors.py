"""What can go wrong with promotions."""

from grocery.errors import ConflictError, NotFoundError


class PromotionNotFoundError(NotFoundError):
    def __init__(self, detail: str = "There is no such promotion."):
        super().__init__(detail)


class CodeTakenError(ConflictError):
    code = "code_taken"

    def __init__(self, code: str):
        super().__init__(f"Another promotion has the code {code}.")


class LimitBelowUseError(ConflictError):
    """More orders hold the promotion than the limit would allow; `used` says how many."""

    code = "limit_below_use"

    def __init__(self, used: int):
        super().__init__(f"Orders use it {used} times already; the limit cannot be below that.", used=used)
