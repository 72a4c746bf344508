"""The case: its lifecycle table, numbers, deadlines, and the fold of its events."""
