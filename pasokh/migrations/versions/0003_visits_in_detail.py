"""What reports divide visits by, and the wait each was told

Revision: 0003, after 0002, 2026-11-22.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "visit",
        sa.Column("kind", sa.String(), server_default="call", nullable=False, comment="call, callback, task"),
    )
    op.add_column(
        "visit",
        sa.Column("segment", sa.String(), nullable=True, comment="the customer's when the visit began"),
    )
    op.add_column(
        "visit",
        sa.Column("skills", sa.String(), nullable=True, comment="those it asks for, with commas between"),
    )
    op.add_column(
        "visit",
        sa.Column(
            "estimate_us",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the wait that was expected when it began",
        ),
    )
    op.create_index("ix_offer_made_at", "offer", ["made_at"])


def downgrade() -> None:
    op.drop_index("ix_offer_made_at", "offer")
    for column in ("estimate_us", "skills", "segment", "kind"):
        op.drop_column("visit", column)
