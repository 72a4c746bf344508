"""bytes <-> Message: parse, visible text, machine mail, authority, build. Nothing here knows RMAs."""
