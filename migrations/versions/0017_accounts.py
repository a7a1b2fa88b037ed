"""Codes, known devices, second factors, and the audit log.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_REFUSE = """
    CREATE FUNCTION grocery_audit_log_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND coalesce(current_setting('grocery.retention', true), '') = 'on' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the audit log is append only' USING ERRCODE = 'insufficient_privilege';
    END $$
"""


def upgrade() -> None:
    op.execute("ALTER TABLE customers ADD COLUMN email_verified_at timestamptz")
    op.execute("ALTER TABLE token_families ADD COLUMN device text")
    _create_codes()
    _create_factors()
    _create_audit_log()


def _moment(name: str, *, is_now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if is_now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not is_now)


def _owner(table: str, *, is_needed: bool = True) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    name = op.f(f"fk_{table}_customer_id_customers")
    return (
        sa.Column("customer_id", sa.BigInteger(), nullable=not is_needed),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=name, ondelete="CASCADE"),
    )


def _create_codes() -> None:
    op.create_table(
        "one_time_codes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        *_owner("one_time_codes", is_needed=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("tries_left", sa.SmallInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _moment("used_at"),
        _moment("created_at", is_now=True),
        sa.CheckConstraint(
            "purpose IN ('sign_in', 'verify_phone', 'verify_email', 'reset_password')",
            name=op.f("ck_one_time_codes_purpose"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_codes")),
    )
    op.create_index(op.f("ix_one_time_codes_customer_id"), "one_time_codes", ["customer_id"])
    op.create_index(op.f("ix_one_time_codes_secret_hash"), "one_time_codes", ["secret_hash"])
    op.create_index("ix_one_time_codes_target", "one_time_codes", ["target", "purpose", "created_at"])
    op.create_index("ix_one_time_codes_created_at", "one_time_codes", ["created_at"])
    op.create_table(
        "known_devices",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        *_owner("known_devices"),
        _moment("created_at", is_now=True),
        _moment("used_at", is_now=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_known_devices")),
    )
    op.create_index(op.f("ix_known_devices_customer_id"), "known_devices", ["customer_id"])


def _create_factors() -> None:
    op.create_table(
        "second_factors",
        *_owner("second_factors"),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        _moment("confirmed_at"),
        _moment("created_at", is_now=True),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        *_owner("recovery_codes"),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        _moment("used_at"),
        sa.PrimaryKeyConstraint("customer_id", "code_hash", name=op.f("pk_recovery_codes")),
    )


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _moment("at", is_now=True),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("details", JSONB(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_actor_id_id", "audit_log", ["actor_id", "id"])
    op.create_index("ix_audit_log_action_id", "audit_log", ["action", "id"])
    op.create_index("ix_audit_log_subject", "audit_log", ["subject_type", "subject_id", "id"])
    op.create_index("ix_audit_log_at", "audit_log", ["at"], postgresql_using="brin")
    op.execute(_REFUSE)
    op.execute(
        "CREATE TRIGGER audit_log_stays BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW "
        "EXECUTE FUNCTION grocery_audit_log_stays()"
    )
    op.execute(
        "CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT "
        "EXECUTE FUNCTION grocery_audit_log_stays()"
    )


def downgrade() -> None:
    op.drop_table("audit_log")
    op.execute("DROP FUNCTION grocery_audit_log_stays()")
    for table in ("recovery_codes", "second_factors", "known_devices", "one_time_codes"):
        op.drop_table(table)
    op.execute("ALTER TABLE token_families DROP COLUMN device")
    op.execute("ALTER TABLE customers DROP COLUMN email_verified_at")
