"""Conversation files as tests: load a file, run its steps, compare the results with what is expected."""
