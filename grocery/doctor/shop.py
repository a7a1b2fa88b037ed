"""The shop at its public address, through everything that stands before it."""

from collections.abc import Iterator

import requests

from grocery.doctor.examining import Patient, why_unreachable
from grocery.doctor.findings import Finding, failure, ok, warning

_SECONDS = 5


def look(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    if not settings.shop_url:
        yield warning("SHOP_URL is not set: nobody can say where the shop is.", "Set SHOP_URL (docs/settings.md).")
        return
    url = settings.shop_url
    try:
        answer = requests.get(f"{url}/products/?limit=1", timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        what = f"SHOP_URL ({url}) does not answer here: {why_unreachable(error)}"
        yield warning(what, "Start the API, or try from outside: some networks do not lead back to their own address.")
        return
    if answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("application/json"):
        yield ok(f"The shop answers at {url} within {answer.elapsed.total_seconds() * 1000:.0f} ms.")
    elif answer.status_code == 400:
        yield failure(f"The shop answers 400 at {url}.", "The proxy must pass on Host, and TRUSTED_HOSTS must have it.")
    elif 300 <= answer.status_code < 400:
        what = f"{url} redirects to {answer.headers.get('Location', 'nowhere')}."
        yield warning(what, "Set SHOP_URL to where the shop really is.")
    elif answer.status_code == 503:
        yield failure(f"The shop answers 503 at {url}.", "See `database` and `migrations`, and the API's log.")
    else:
        yield failure(f"What answers at {url} is not the shop (HTTP {answer.status_code}).", "See the proxy's log.")
    if settings.is_production:
        yield from _figures(url)


def _figures(url: str) -> Iterator[Finding]:
    try:
        answer = requests.get(f"{url}/metrics", timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return
    if answer.status_code == 200:
        what = f"{url}/metrics is open: strangers can read how many orders there are."
        yield warning(what, "Have the proxy refuse it to all but Prometheus (docs/operator.md, Probes).")
