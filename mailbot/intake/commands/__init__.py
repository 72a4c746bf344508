"""Commands that staff write."""
