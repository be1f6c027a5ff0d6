"""How callers prove who they are: PINs, failed tries, and what was proved

Revision: 0004, after 0003, 2026-11-22.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pin",
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column(
            "login", sa.String(), nullable=True, comment="token of what the caller keys to say who they are"
        ),
        sa.Column("hash", sa.String(), nullable=False, comment="argon2id of the keyed PIN"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer"], ["customer.id"], name="fk_pin_customer", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("customer", name="pk_pin"),
        sa.UniqueConstraint("login", name="uq_pin_login"),
    )
    op.create_table(
        "tries",
        sa.Column("key", sa.String(), nullable=False, comment="token of a customer or of a calling number"),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_tries"),
    )
    op.create_index("ix_tries_since_at", "tries", ["since_at"])
    op.create_table(
        "verification",
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("contact", name="pk_verification"),
    )
    op.create_index("ix_verification_at", "verification", ["at"])


def downgrade() -> None:
    op.drop_table("verification")
    op.drop_table("tries")
    op.drop_table("pin")
