"""Knows the caller: who has this number, and what an agent should see of them."""
