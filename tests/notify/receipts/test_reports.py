"""POST /notify/sms/{secret}/delivery: reports about messages that are known, and about those in doubt."""

import pytest
from flask import Flask

from grocery.notify.receipts.jobs import match_fresh
from tests.fakes.africastalking import Callbacks
from tests.notify.clients import PHONE
from tests.notify.factories import find_notification, make_notification, pick
from tests.notify.receipts.conftest import Sql
from tests.notify.receipts.factories import (
    change,
    make_fallback,
    make_in_doubt,
    make_sending,
    make_sent,
    reports,
)

OTHER = "+254711000002"


class TestKnownMessage:
    def test_success_delivers(self, provider: Callbacks) -> None:
        sms = make_sent()

        reply = provider.deliver("ATXid_1", PHONE, "Success")

        assert (reply.status, reply.body, reply.content_type) == (200, "", "text/plain; charset=utf-8")
        row = find_notification(sms)
        assert (row["status"], row["next_attempt_at"], row["error"]) == ("delivered", None, None)
        assert row["delivered_at"] >= row["sent_at"]
        assert reports() == [("ATXid_1", "Success", sms)]

    @pytest.mark.parametrize("status", ["Failed", "Rejected"])
    def test_failure_is_final_and_says_why(self, provider: Callbacks, status: str) -> None:
        sms = make_sent()
        sent_at = find_notification(sms)["sent_at"]

        provider.deliver("ATXid_1", PHONE, status, "UserIsInactive")

        expected = {
            "status": "failed",
            "next_attempt_at": None,
            "error": f"The network reported {status}: UserIsInactive.",
            "sent_at": sent_at,
            "delivered_at": None,
        }
        assert pick(sms, *expected) == expected

    def test_interim_words_change_nothing_of_a_sent_one(self, provider: Callbacks) -> None:
        sms = make_sent()
        before = find_notification(sms)

        provider.life("ATXid_1", PHONE, "Sent", "Submitted", "Buffered", "AbsentSubscriber")

        assert find_notification(sms) == before
        assert [matched for _, _, matched in reports()] == [sms] * 4

    @pytest.mark.parametrize(
        ("words", "final"),
        [
            (("Success", "Submitted", "Sent"), "delivered"),
            (("Success", "Failed"), "delivered"),
            (("Failed", "Success"), "failed"),
            (("Sent", "Rejected", "Buffered"), "failed"),
        ],
    )
    def test_out_of_order_the_first_final_word_holds(
        self, provider: Callbacks, words: tuple[str, ...], final: str
    ) -> None:
        sms = make_sent()

        provider.life("ATXid_1", PHONE, *words)

        assert pick(sms, "status") == {"status": final}
        assert len(reports()) == len(words)

    def test_repeated_report_is_kept_once(self, provider: Callbacks) -> None:
        sms = make_sent()
        provider.deliver("ATXid_1", PHONE, "Success")
        before = find_notification(sms)

        assert provider.deliver("ATXid_1", PHONE, "Success").status == 200

        assert find_notification(sms) == before
        assert reports() == [("ATXid_1", "Success", sms)]

    def test_plus_sign_that_was_not_encoded(self, provider: Callbacks) -> None:
        sms = make_sent()

        provider.send("/delivery", {"id": "ATXid_1", "status": "Success", "phoneNumber": PHONE.replace("+", " ")})

        assert pick(sms, "status") == {"status": "delivered"}

    def test_number_of_another_is_not_believed(self, provider: Callbacks) -> None:
        sms = make_sent()
        doubtful = make_in_doubt(recipient=OTHER)

        assert provider.deliver("ATXid_1", OTHER, "Success").status == 200
        match_fresh()

        assert pick(sms, "status") == {"status": "sent"}
        assert pick(doubtful, "status") == {"status": "unknown"}
        assert reports() == [("ATXid_1", "Success", None)]

    def test_email_with_that_id_is_not_meant(self, provider: Callbacks) -> None:
        mail = make_notification(channel="email", recipient=PHONE, status="sent", provider_id="ATXid_1")

        provider.deliver("ATXid_1", PHONE, "Failed")

        assert pick(mail, "status") == {"status": "sent"}

    def test_unknown_word_is_kept_and_changes_nothing(self, app: Flask, provider: Callbacks) -> None:
        sms, doubtful = make_sent(), make_in_doubt(recipient=OTHER)
        seen = app.extensions["oddities"].counts["unknown status of a report"]

        provider.send("/delivery", {"id": "ATXid_1", "status": "Teleported", "phoneNumber": PHONE})
        provider.send("/delivery", {"id": "ATXid_2", "status": "Teleported", "phoneNumber": OTHER})

        assert pick(sms, "status") == {"status": "sent"}
        assert pick(doubtful, "status", "provider_id") == {"status": "unknown", "provider_id": None}
        assert reports() == [("ATXid_1", "Teleported", sms), ("ATXid_2", "Teleported", None)]
        assert app.extensions["oddities"].counts["unknown status of a report"] == seen + 2

    def test_message_that_waits_to_be_sent_anew_is_not_sent_when_it_has_arrived(self, provider: Callbacks) -> None:
        sms = make_notification(status="pending", attempts=1, provider_id="ATXid_1")

        provider.deliver("ATXid_1", PHONE, "Failed")
        assert pick(sms, "status", "error") == {"status": "pending", "error": None}

        provider.deliver("ATXid_1", PHONE, "Success")
        assert pick(sms, "status", "next_attempt_at") == {"status": "delivered", "next_attempt_at": None}

    def test_message_in_a_senders_hands_is_not_touched(self, provider: Callbacks) -> None:
        sms = make_sending(provider_id="ATXid_1")
        before = find_notification(sms)

        provider.deliver("ATXid_1", PHONE, "Success")
        match_fresh()

        assert find_notification(sms) == before
        assert reports() == [("ATXid_1", "Success", None)]


class TestFallback:
    @pytest.mark.parametrize("make", [make_sent, make_in_doubt])
    def test_email_is_dropped_when_its_sms_has_arrived(
        self, provider: Callbacks, make: type[object], run_sql: Sql
    ) -> None:
        mail = make_fallback(make())  # type: ignore[arg-type]

        provider.deliver("ATXid_1", PHONE, "Success")

        assert run_sql("SELECT count(*) FROM notifications WHERE id = :id", id=mail) == [(0,)]

    def test_email_goes_at_once_when_its_sms_has_failed(self, provider: Callbacks, run_sql: Sql) -> None:
        mail = make_fallback(make_sent())

        provider.deliver("ATXid_1", PHONE, "Failed")

        due = "SELECT status, next_attempt_at <= now() FROM notifications WHERE id = :id"
        assert run_sql(due, id=mail) == [("pending", True)]


class TestBlockedNumber:
    def test_it_gets_nothing_more(self, provider: Callbacks, run_sql: Sql) -> None:
        make_sent()
        waiting = make_notification()

        provider.deliver("ATXid_1", PHONE, "Rejected", "UserInBlackList")

        assert run_sql("SELECT channel, address, reason, detail FROM suppressions") == [
            ("sms", PHONE, "provider", "UserInBlackList")
        ]
        assert pick(waiting, "status", "error") == {"status": "failed", "error": "The recipient has opted out."}

    def test_other_failures_are_no_block(self, provider: Callbacks, run_sql: Sql) -> None:
        make_sent()

        provider.deliver("ATXid_1", PHONE, "Failed", "UserIsInactive")

        assert run_sql("SELECT count(*) FROM suppressions") == [(0,)]

    def test_report_about_nothing_of_ours_blocks_nobody(self, provider: Callbacks, run_sql: Sql) -> None:
        provider.deliver("ATXid_9", PHONE, "Rejected", "UserInBlackList")

        assert run_sql("SELECT count(*) FROM suppressions") == [(0,)]


class TestMessageInDoubt:
    @pytest.mark.parametrize(("word", "status"), [("Buffered", "sent"), ("Success", "delivered"), ("Failed", "failed")])
    def test_only_one_of_its_number_is_settled(self, provider: Callbacks, word: str, status: str) -> None:
        sms = make_in_doubt()
        others = make_in_doubt(recipient=OTHER)

        provider.deliver("ATXid_7", PHONE, word)

        expected = {"status": status, "provider_id": "ATXid_7", "next_attempt_at": None}
        assert pick(sms, *expected) == expected
        assert (find_notification(sms)["sent_at"] is None) == (word == "Failed")
        assert pick(others, "status") == {"status": "unknown"}

    def test_later_reports_know_it_by_its_id(self, provider: Callbacks) -> None:
        sms = make_in_doubt()

        provider.life("ATXid_7", PHONE, "Sent", "Submitted", "Success")

        assert pick(sms, "status", "provider_id") == {"status": "delivered", "provider_id": "ATXid_7"}
        assert [matched for _, _, matched in reports()] == [sms] * 3

    def test_one_that_was_given_up_is_settled_too(self, provider: Callbacks) -> None:
        sms = make_in_doubt(next_attempt_at=None, unknowns=3)

        provider.deliver("ATXid_7", PHONE, "Success")

        assert pick(sms, "status") == {"status": "delivered"}

    def test_of_two_neither_is_settled_until_only_one_remains(self, provider: Callbacks) -> None:
        first, second = make_in_doubt(), make_in_doubt()

        provider.deliver("ATXid_7", PHONE, "Submitted")
        match_fresh()
        assert pick(first, "status") == pick(second, "status") == {"status": "unknown"}

        change(first, status="sent", provider_id="ATXid_8", next_attempt_at=None)
        provider.deliver("ATXid_7", PHONE, "Success")
        match_fresh()
        assert pick(first, "status", "provider_id") == {"status": "sent", "provider_id": "ATXid_8"}
        assert pick(second, "status", "provider_id") == {"status": "delivered", "provider_id": "ATXid_7"}
        assert [matched for _, _, matched in reports()] == [second, second]

    def test_report_that_waited_beside_two_is_not_used_for_the_one_that_remains(self, provider: Callbacks) -> None:
        """It may have spoken of the other: taken for delivered, this one would be lost; sent again, it is doubled."""
        first, second = make_in_doubt(), make_in_doubt()
        provider.deliver("ATXid_7", PHONE, "Success")

        change(first, status="sent", provider_id="ATXid_8", next_attempt_at=None)
        match_fresh()

        assert pick(second, "status") == {"status": "unknown"}
        assert reports() == [("ATXid_7", "Success", None)]

    def test_while_another_is_being_sent_to_the_number_nothing_is_settled(self, provider: Callbacks) -> None:
        doubtful = make_in_doubt()
        make_sending()

        provider.deliver("ATXid_7", PHONE, "Success")

        assert pick(doubtful, "status") == {"status": "unknown"}

    def test_report_for_another_shops_message(self, provider: Callbacks) -> None:
        """An account that two shops share: nothing of ours is in doubt."""
        sms = make_sent()
        before = find_notification(sms)

        assert provider.deliver("ATXid_of_others", PHONE, "Failed").status == 200
        match_fresh()

        assert find_notification(sms) == before
        assert reports() == [("ATXid_of_others", "Failed", None)]


class TestReportThatWaits:
    def test_it_is_matched_once_the_sender_has_told(self, provider: Callbacks) -> None:
        sms = make_sending()
        provider.deliver("ATXid_1", PHONE, "Success")
        assert pick(sms, "status") == {"status": "sending"}

        change(sms, status="sent", provider_id="ATXid_1", sent_at="now()")
        match_fresh()

        assert pick(sms, "status") == {"status": "delivered"}
        assert reports() == [("ATXid_1", "Success", sms)]

    def test_it_settles_the_one_whose_sender_heard_no_answer(self, provider: Callbacks) -> None:
        sms = make_sending(created_at="now() - interval '1 minute'")
        provider.deliver("ATXid_1", PHONE, "Success")

        change(sms, status="unknown", unknowns=1, next_attempt_at="now() + interval '90 seconds'")
        match_fresh()

        assert pick(sms, "status", "provider_id") == {"status": "delivered", "provider_id": "ATXid_1"}

    def test_report_of_an_earlier_attempt_does_not_settle_a_later_message(
        self, provider: Callbacks, run_sql: Sql
    ) -> None:
        """A doubled SMS has a report too many. It must not make the next one look delivered."""
        make_sent("ATXid_2", created_at="now() - interval '1 hour'")
        provider.deliver("ATXid_1", PHONE, "Success")
        run_sql("UPDATE delivery_reports SET received_at = now() - interval '5 minutes'")
        tried_since = make_in_doubt(created_at="now() - interval '10 minutes'")

        match_fresh()
        assert pick(tried_since, "status") == {"status": "unknown"}

        change(tried_since, next_attempt_at=None)
        match_fresh()
        assert pick(tried_since, "status") == {"status": "unknown"}

    def test_message_that_was_queued_after_it_is_not_meant(self, provider: Callbacks) -> None:
        provider.deliver("ATXid_1", PHONE, "Success")
        later = make_in_doubt(created_at="now()", next_attempt_at="now() + interval '90 seconds'")

        match_fresh()

        assert pick(later, "status") == {"status": "unknown"}

    def test_several_words_are_applied_in_the_order_of_their_coming(self, provider: Callbacks) -> None:
        sms = make_sending()
        provider.life("ATXid_1", PHONE, "Sent", "Failed", "Success")
        change(sms, status="sent", provider_id="ATXid_1")

        match_fresh()

        assert pick(sms, "status") == {"status": "failed"}
        assert [matched for _, _, matched in reports()] == [sms] * 3

    def test_message_that_is_deleted_meanwhile_takes_its_reports_along(self, provider: Callbacks, run_sql: Sql) -> None:
        sms = make_sent()
        provider.deliver("ATXid_1", PHONE, "Sent")
        run_sql("DELETE FROM notifications WHERE id = :id", id=sms)

        assert provider.deliver("ATXid_1", PHONE, "Success").status == 200
        match_fresh()

        assert reports() == [("ATXid_1", "Success", None)]
