"""Messages of callers, and what they answered when they were asked

Revision: 0005, after 0004, 2026-11-22.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.String(), nullable=False, comment="contact:name"),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False, comment="voicemail, survey"),
        sa.Column("queue", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="the last word"),
        sa.Column("length_us", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(), nullable=False, comment="below the folder of kept messages"),
        sa.Column("agent", sa.String(), nullable=True, comment="who shall deal with it"),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assigned_by", sa.String(), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True, comment="for the first time"),
        sa.Column("heard_by", sa.String(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
    )
    op.create_index("ix_message_contact", "message", ["contact"])
    op.create_index("ix_message_kind_at", "message", ["kind", "at"])
    op.create_index("ix_message_agent_at", "message", ["agent", "at"])
    op.create_table(
        "survey",
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queue", sa.String(), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True, comment="the caller's own words"),
        sa.PrimaryKeyConstraint("contact", name="pk_survey"),
    )
    op.create_index("ix_survey_at", "survey", ["at"])


def downgrade() -> None:
    op.drop_table("survey")
    op.drop_table("message")
