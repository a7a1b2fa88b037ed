"""How the services of Africa's Talking's SDK talk to the provider."""

from typing import Any

import requests
from africastalking.Service import DEFAULT_TIMEOUT_S


class WholeAnswers:
    """For a service of the SDK, before it among the bases: leaves the provider's answer whole.

    The SDK's transport drops the HTTP status, the only thing that tells a wrong API key from a broken gateway, answers
    a string for `application/json; charset=utf-8`, follows redirects with the API key in hand, and connects anew for
    each message. `origin` is another place than the provider's.
    """

    def __init__(self, username: str, api_key: str, origin: str | None) -> None:
        super().__init__(username, api_key)  # type: ignore[call-arg]  # the SDK's service comes next
        if origin is not None:
            self._baseUrl = f"{origin}/version1"
        self.connections = requests.Session()

    def _make_request(
        self,
        url: str,
        method: str,
        headers: dict[str, str],
        data: Any,
        params: Any,
        callback: None = None,
        timeout: tuple[float, float] = DEFAULT_TIMEOUT_S,
    ) -> requests.Response:
        return self.connections.request(
            method, url, headers=headers, data=data, params=params, timeout=timeout, allow_redirects=False
        )
