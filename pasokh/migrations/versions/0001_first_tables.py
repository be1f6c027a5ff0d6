"""First tables

Revision: 0001, the first, 2026-11-22.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_state",
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of several changes at one instant the last is kept",
        ),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("activity", sa.String(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("visit", sa.String(), nullable=True),
        sa.Column("next_status", sa.String(), nullable=True),
        sa.Column("next_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("agent", "at", name="pk_agent_state"),
    )
    op.create_table(
        "audit",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("about", sa.String(length=128), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at_us", "audit", ["at_us"])
    op.create_index("ix_audit_who_at_us", "audit", ["who", "at_us"])

    op.create_table(
        "contact",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), server_default="call", nullable=False),
        sa.Column(
            "dialled", sa.String(), nullable=True, comment="null: the arrival itself was never recorded"
        ),
        sa.Column(
            "caller_e164",
            sa.String(),
            nullable=True,
            comment="only a number with a place in the world's plan",
        ),
        sa.Column("caller_kind", sa.String(), nullable=True, comment="how the caller's number was given"),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("segment", sa.String(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
    )
    op.create_index("ix_contact_began_at_id", "contact", ["began_at", "id"])
    op.create_index("ix_contact_caller_e164", "contact", ["caller_e164"])
    op.create_index("ix_contact_customer_began_at", "contact", ["customer", "began_at"])

    op.create_table(
        "customer",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column(
            "kind", sa.String(), server_default="person", nullable=False, comment="person, organisation"
        ),
        sa.Column("name_fa", sa.String(), nullable=True),
        sa.Column("name_en", sa.String(), nullable=True),
        sa.Column(
            "name_key", sa.String(), nullable=False, comment="both names in the one form that is searched"
        ),
        sa.Column("segment", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True, comment="fa, en"),
        sa.Column(
            "value",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="of the relation, as the house counts it; null: unknown",
        ),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_customer"),
    )
    op.create_index("ix_customer_name_key", "customer", ["name_key"])

    op.create_table(
        "document",
        sa.Column("kind", sa.String(), nullable=False, comment="center, flow"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="counts up; the highest is in force"),
        sa.Column("version", sa.String(), nullable=False, comment="digest of the text"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "number", name="pk_document"),
    )
    op.create_table(
        "idempotency",
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_name", "key", name="pk_idempotency"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False, comment="the site"),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("token", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "leg",
        sa.Column(
            "id",
            sa.String(),
            nullable=False,
            comment="the contact's for the caller, the visit's for its agent",
        ),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False, comment="caller, agent"),
        sa.Column("visit", sa.String(), nullable=True),
        sa.Column("offer", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=True, comment="the phone is the offer's"),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("talk_us", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("hold_us", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_leg"),
    )
    op.create_index("ix_leg_contact", "leg", ["contact"])

    op.create_table(
        "offer",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("page_open", sa.Boolean(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "shown_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the agent's page confirmed the card",
        ),
        sa.Column("shown_before_ring", sa.Boolean(), nullable=True),
        sa.Column("rang_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_offer"),
    )
    op.create_index("ix_offer_agent_made_at", "offer", ["agent", "made_at"])
    op.create_index("ix_offer_visit", "offer", ["visit"])

    op.create_table(
        "refusal",
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False, comment="full, unknown_queue"),
        sa.PrimaryKeyConstraint("contact", "queue", "at", name="pk_refusal"),
    )
    op.create_index("ix_refusal_queue_at", "refusal", ["queue", "at"])

    op.create_table(
        "user_account",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("agent", sa.String(length=32), nullable=True),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_user_account"),
    )
    op.create_table(
        "visit",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column(
            "outcome",
            sa.String(),
            nullable=True,
            comment="answered, abandoned, flowed_out, callback; null: still waiting",
        ),
        sa.Column("wait_us", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("offer", sa.String(), nullable=True, comment="the offer that was answered"),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "talk_us",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="without hold",
        ),
        sa.Column("hold_us", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("acw_us", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("disposition", sa.String(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column(
            "ended_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the end of the talk, or of the wait",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_visit"),
    )
    op.create_index("ix_visit_began_at", "visit", ["began_at"])
    op.create_index("ix_visit_contact", "visit", ["contact"])
    op.create_index("ix_visit_queue_began_at", "visit", ["queue", "began_at"])

    op.create_table(
        "access_token",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_name"], ["user_account.name"], name="fk_access_token_user_name", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name="pk_access_token"),
    )
    op.create_index("ix_access_token_user_name", "access_token", ["user_name"])

    op.create_table(
        "phone",
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customer.id"], name="fk_phone_customer", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("customer", "key", name="pk_phone"),
    )
    op.create_index("ix_phone_key", "phone", ["key"])


def downgrade() -> None:
    op.drop_table("phone")
    op.drop_table("access_token")
    op.drop_table("visit")
    op.drop_table("user_account")
    op.drop_table("refusal")
    op.drop_table("offer")
    op.drop_table("leg")
    op.drop_table("lease")
    op.drop_table("idempotency")
    op.drop_table("document")
    op.drop_table("customer")
    op.drop_table("contact")
    op.drop_table("audit")
    op.drop_table("agent_state")
