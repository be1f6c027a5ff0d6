"""Who may answer whom, and who does: pure choices over plain values."""
