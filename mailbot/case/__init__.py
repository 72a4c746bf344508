"""Cases: the lifecycle table, matching, numbers, quotes, deadlines, tokens, and applying decisions."""
