"""Commands that staff write.

- ``parsing.parse_commands`` returns the commands in a text.
"""
