"""Reading what mail servers send back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grocery.notify.feedback.errors import NotABounceError
from grocery.notify.feedback.reports import Report, read_reports
from tests.notify.clients import AMINA, MESSAGE_ID
from tests.notify.feedback.mails import EXCHANGE, EXIM, GMAIL, SES, bounce_mail, foreign_mail, group, holiday_mail

REASON = "5.1.1 550 5.1.1 <amina@example.com>: Recipient address rejected: User unknown"


@pytest.mark.parametrize("attached", ["message/rfc822", "text/rfc822-headers"])
def test_bounce_of_an_unknown_user(attached: str) -> None:
    assert read_reports(bounce_mail(group(), message_id=MESSAGE_ID, attached=attached)) == [
        Report(AMINA, "5.1.1", is_permanent=True, is_given_up=True, reason=REASON, message_id=MESSAGE_ID)
    ]


@pytest.mark.parametrize(
    ("sample", "status"), [(EXIM, "5.0.0"), (GMAIL, "5.1.1"), (EXCHANGE, "5.1.10"), (SES, "5.1.1")]
)
def test_bounce_of_other_systems(sample: tuple[str, str], status: str) -> None:
    report, returned = (part.format(id=MESSAGE_ID) for part in sample)

    [read] = read_reports(foreign_mail(report, returned, head="From: Mail Delivery <>\nAuto-Submitted: auto-replied\n"))

    assert (read.recipient, read.status, read.message_id) == (AMINA, status, MESSAGE_ID)
    assert (read.is_permanent, read.is_given_up) == (True, True)


def test_bounce_that_brings_nothing_back_names_the_mail_it_answers() -> None:
    [report] = read_reports(bounce_mail(group(), headers=f"In-Reply-To: {MESSAGE_ID}\r\n"))
    [bare] = read_reports(bounce_mail(group()))

    assert (report.message_id, bare.message_id) == (MESSAGE_ID, None)


@pytest.mark.parametrize(
    ("status", "action", "is_permanent", "is_given_up"),
    [
        *[(status, "failed", True, True) for status in ("5.1.1", "5.1.10", "5.4.1", "5.4.4", "5.4.310", "5.2.1")],
        # What says nothing against the mailbox: full, too big, a policy, the sender's own address, a server away.
        *[(status, "failed", False, True) for status in ("5.2.2", "5.2.3", "5.7.1", "5.6.0", "5.1.7", "5.1.8")],
        *[(status, "failed", False, True) for status in ("5.4.7", "5.4.6", "5.4.300", "5.4.316")],
        ("4.4.7", "failed", False, True),
        ("4.4.1", "delayed", False, False),
        ("5.1.1", "delayed", False, False),
        ("5.1.1", None, True, True),
        ("4.2.2", None, False, False),
        ("5.1.1 (bad destination mailbox address)", "Failed", True, True),
    ],
)
def test_status_and_action_decide(status: str, action: str | None, is_permanent: bool, is_given_up: bool) -> None:
    [report] = read_reports(bounce_mail(group(status=status, action=action)))

    assert report.status == status.partition(" ")[0]
    assert (report.is_permanent, report.is_given_up) == (is_permanent, is_given_up)


@pytest.mark.parametrize(
    ("diagnosis", "status"),
    [
        ("smtp; 550 5.1.1 no such user", "5.1.1"),
        ("smtp; 554 no such user", "5.0.0"),
        ("smtp; 451 greylisted", "4.0.0"),
        ("smtp; something went wrong", "4.0.0"),
        (None, "4.0.0"),
    ],
)
def test_missing_status_is_read_from_the_servers_answer(diagnosis: str | None, status: str) -> None:
    [report] = read_reports(bounce_mail(group(status=None, diagnosis=diagnosis)))

    assert (report.status, report.is_given_up) == (status, True)


@pytest.mark.parametrize(
    ("diagnosis", "status", "is_permanent"),
    [
        # Exim: always 5.0.0, and no answer when there was none for days.
        ("smtp; 550 No Such User Here", "5.0.0", True),
        ("smtp; 550-5.1.1 The email account that you tried to reach does not exist.", "5.1.1", True),
        ("smtp; 552-5.2.2 The email account that you tried to reach is over quota", "5.2.2", False),
        ("smtp; 550 5.7.1 Message rejected as spam", "5.7.1", False),
        ("smtp; 550 JunkMail rejected - mail.duka.example [41.90.1.1] is in an RBL", "5.0.0", False),
        ("smtp; 550 relay not permitted", "5.0.0", False),
        ("smtp; 552 mailbox full", "5.0.0", False),
        ("smtp; 554 delivery error: dd", "5.0.0", False),
        (None, "5.0.0", False),
        # An address of a network is no status.
        ("smtp; 554 Client host [5.1.1.7] blocked", "5.0.0", False),
        ("smtp; 550 unknown user (host 10.5.1.1)", "5.0.0", True),
    ],
)
def test_status_without_details_is_read_from_the_answer(diagnosis: str | None, status: str, is_permanent: bool) -> None:
    [report] = read_reports(bounce_mail(group(status="5.0.0", diagnosis=diagnosis)))

    assert (report.status, report.is_permanent, report.is_given_up) == (status, is_permanent, True)


def test_answer_with_semicolons_is_kept_whole() -> None:
    answer = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"
    [report] = read_reports(bounce_mail(group(status="5.1.10", diagnosis=f"smtp;{answer}")))

    assert report.reason == f"5.1.10 {answer}"


def test_address_before_forwarding_is_the_one_that_counts() -> None:
    [report] = read_reports(bounce_mail(group(final="amina.o@mail.example", original="amina@example.com")))

    assert report.recipient == AMINA


def test_each_recipient_is_reported_and_arrivals_are_not() -> None:
    mail = bounce_mail(
        group(),
        group(final="juma@example.com", action="delivered", status="2.0.0", diagnosis=None),
        group(final="wanjiku@example.com", status="4.4.7"),
    )

    assert [(report.recipient, report.status) for report in read_reports(mail)] == [
        (AMINA, "5.1.1"),
        ("wanjiku@example.com", "4.4.7"),
    ]


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        (b"", "has no delivery status"),
        (b"\x00\xff" * 100, "has no delivery status"),
        (holiday_mail(), "has no delivery status"),
        (bounce_mail(), "has no delivery status"),
        (bounce_mail(group(final="")), "has no delivery status"),
        (bounce_mail(group(action="relayed", status="2.0.0", diagnosis=None)), "reports that a mail has arrived"),
    ],
)
def test_mail_that_is_no_bounce_is_told_so(mail: bytes, told: str) -> None:
    with pytest.raises(NotABounceError, match=told):
        read_reports(mail)


def test_what_a_server_says_is_made_fit_to_be_kept() -> None:
    [report] = read_reports(bounce_mail(group(diagnosis=f"smtp; 550 \x00\x1b[31m{'no ' * 500}\xe4")))

    assert report.reason.isprintable()
    assert len(report.reason) == 300


@given(st.binary(max_size=400) | st.text("ab:;\r\n -<>@5.1rfc822", max_size=400).map(str.encode), st.integers(0, 900))
def test_broken_mail_is_no_bounce_or_read_as_one_but_never_a_crash(noise: bytes, at: int) -> None:
    mail = bounce_mail(group(), message_id=MESSAGE_ID)

    for broken in (noise, mail[:at] + noise + mail[at:], mail[: at + 200] + noise):
        try:
            reports = read_reports(broken)
        except NotABounceError:
            continue
        assert all("@" in report.recipient for report in reports)
