"""Text: normalization, sentences, parts of an email, language."""
