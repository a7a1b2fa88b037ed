"""What can be wrong with a mail that is said to be a bounce."""

from grocery.errors import InvalidError


class NotABounceError(InvalidError):
    code = "not_a_bounce"
