"""Why each agent was chosen, why each caller waited, and what goes with a task

Revision: 0007, after 0006, 2026-11-22.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "offer",
        sa.Column(
            "chosen",
            sa.String(),
            nullable=True,
            comment="the rule that chose the agent, and the figures it went by",
        ),
    )
    op.create_table(
        "wait_step",
        sa.Column("visit", sa.String(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of several changes at one instant the last is kept",
        ),
        sa.Column("requirement", sa.Text(), nullable=False, comment="what the visit asks for from now on"),
        sa.Column("line", sa.String(length=32), nullable=False, comment="digest of the requirement"),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("visit", "at", name="pk_wait_step"),
    )
    op.create_table(
        "wait_cause",
        sa.Column(
            "line",
            sa.String(length=32),
            nullable=False,
            comment="digest of what those who wait in it ask for",
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of several changes at one instant the last is kept",
        ),
        sa.Column(
            "cause",
            sa.String(),
            nullable=True,
            comment="why they get nobody; null: nobody waits, or they are being offered",
        ),
        sa.PrimaryKeyConstraint("line", "at", name="pk_wait_cause"),
    )
    op.create_table(
        "task_note",
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("customer", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contact", name="pk_task_note"),
    )


def downgrade() -> None:
    for table in ("task_note", "wait_cause", "wait_step"):
        op.drop_table(table)
    op.drop_column("offer", "chosen")
