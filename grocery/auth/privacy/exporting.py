"""The copy of their data that people may have (Kenya's Data Protection Act 2019, sections 26 and 38; GDPR, articles 15
and 20).

Without secrets, hashes and the like: who gets hold of the copy must not be able to sign in with it.
"""

from typing import Any

from sqlalchemy import text

from grocery.auth.audit.service import note
from grocery.auth.hooks import customer_exporting
from grocery.auth.people import Person
from grocery.db import db
from grocery.notify.exporting import export_messages

# One state of the database for all parts.
_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

_ACCOUNT = text("""
    SELECT id, name, email, email_verified_at, phone, phone_verified_at, role, is_active, language, notify_by,
           marketing_sms, marketing_email, password_hash IS NOT NULL AS has_password, invited_at,
           created_at, updated_at
    FROM customers WHERE id = :customer_id
""")

_OWN_SECTIONS = {
    "sessions": text("""
        SELECT device, created_at, issued_at AS last_used_at, expires_at FROM token_families
        WHERE customer_id = :customer_id ORDER BY created_at
    """),
    "known_devices": text("""
        SELECT created_at, used_at AS last_used_at FROM known_devices
        WHERE customer_id = :customer_id ORDER BY created_at
    """),
    "codes": text("""
        SELECT purpose, target, created_at, expires_at, used_at FROM one_time_codes
        WHERE customer_id = :customer_id ORDER BY id
    """),
    "second_factor": text("""
        SELECT created_at, confirmed_at, (
            SELECT count(*) FROM recovery_codes AS code WHERE code.customer_id = factor.customer_id AND used_at IS NULL
        ) AS recovery_codes_left
        FROM second_factors AS factor WHERE customer_id = :customer_id
    """),
    # Of others who did something to the account, their role is enough.
    "audit_log": text("""
        SELECT at, action, actor_role, CASE WHEN actor_id = :customer_id THEN subject_type END AS subject_type,
               CASE WHEN actor_id = :customer_id THEN subject_id END AS subject_id
        FROM audit_log
        WHERE actor_id = :customer_id OR (subject_type = 'customer' AND subject_id = :customer_id) ORDER BY id
    """),
}


def export_person(person: Person) -> dict[str, Any]:
    """All that is known of a person, section by section, as JSON-ready data. Begins its transaction, and is noted."""
    session = db.session()
    session.execute(_SNAPSHOT)
    parameters = {"customer_id": person.id}
    account = session.execute(_ACCOUNT, parameters).mappings().one()
    copy: dict[str, Any] = {"account": dict(account)}
    for section, statement in _OWN_SECTIONS.items():
        copy[section] = [dict(row) for row in session.execute(statement, parameters).mappings()]
    copy |= export_messages(person.id, _proven_addresses(account))
    for _receiver, sections in customer_exporting.send(customer_id=person.id):
        copy |= sections
    note("data_exported", actor_id=person.id, actor_role=person.role, subject_type="customer", subject_id=person.id)
    return copy


def _proven_addresses(account: Any) -> dict[str, str | None]:
    """Addresses that are this person's for sure: an account may name somebody else's."""
    return {
        "sms": account["phone"] if account["phone_verified_at"] else None,
        "email": account["email"] if account["email_verified_at"] else None,
    }
