"""The secret in the address of the provider's callbacks: Africa's Talking documents no other proof of who calls."""

import hmac

from werkzeug.exceptions import NotFound

from grocery.errors import NotFoundError


def check_secret(secret: str, configured: str) -> None:
    """Raise NotFoundError unless the secret of an address is the configured one; nothing fits an empty one.

    It takes the same time however much of it is right, and reads like an address that is not there.
    """
    if not hmac.compare_digest(secret.encode(errors="surrogatepass"), configured.encode()) or not configured:
        raise NotFoundError(str(NotFound.description))
