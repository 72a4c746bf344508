"""Conversations as tests: the file format, the player and the comparison."""
