"""The SMS client shows its API key to nobody but the provider."""

from pathlib import Path

import pytest
import trustme

from grocery.notify.outcome import Outcome
from tests.fakes.africastalking import FakeAfricasTalking
from tests.notify.clients import PHONE, server_context, sms_client


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trust(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make `requests` believe the test's authority."""
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))


def test_certificate_of_a_stranger_is_retried_and_the_text_is_not_shown(authority: trustme.CA) -> None:
    with FakeAfricasTalking(tls=server_context(authority, "127.0.0.1")) as provider:
        result = sms_client(provider).send(PHONE, "x")

        assert result.outcome is Outcome.RETRY
        assert "CERTIFICATE_VERIFY_FAILED" in (result.error or "")
        assert (provider.messages, provider.attempts) == ([], 0)


@pytest.mark.usefixtures("trust")
def test_certificate_for_another_host_is_retried(authority: trustme.CA) -> None:
    with FakeAfricasTalking(tls=server_context(authority, "other.example")) as provider:
        result = sms_client(provider).send(PHONE, "x")

        assert result.outcome is Outcome.RETRY
        assert "CERTIFICATE_VERIFY_FAILED" in (result.error or "")
        assert provider.attempts == 0


@pytest.mark.usefixtures("trust")
def test_right_certificate_is_taken(authority: trustme.CA) -> None:
    with FakeAfricasTalking(tls=server_context(authority, "127.0.0.1")) as provider:
        assert sms_client(provider).send(PHONE, "x").outcome is Outcome.SENT
        assert len(provider.messages) == 1
