"""The decision on every trigger."""
