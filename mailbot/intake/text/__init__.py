"""Text: normalization, sentences, parts of an email, and language."""
