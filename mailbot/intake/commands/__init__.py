"""Commands that staff write (``parsing.parse_commands``)."""
