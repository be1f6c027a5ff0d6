"""The HTTP API, one file per noun. `shared` holds what they have in common: who asks, and asking only once."""
