"""The way of each contact through the menus

Revision: 0002, after 0001, 2026-11-22.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "menu_step",
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("flow", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("contact", "at", "node", name="pk_menu_step"),
    )
    op.create_index("ix_menu_step_flow_at", "menu_step", ["flow", "at"])


def downgrade() -> None:
    op.drop_table("menu_step")
