"""Agents' states are found by time

Revision: 0006, after 0005, 2026-11-22.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_agent_state_at", "agent_state", ["at"])


def downgrade() -> None:
    op.drop_index("ix_agent_state_at", "agent_state")
