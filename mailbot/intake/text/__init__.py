"""Text: normalization, sentences, parts of an email, and language.

- ``normalize.normalize`` returns text as words are compared.
- ``sentences.sentences`` splits text into sentences.
"""
