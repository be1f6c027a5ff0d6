"""What this room keeps: users, tokens, the audit trail and answers to repeated requests."""
