"""Message -> Request: what a mail asks for, read with the word lists of the rules."""
