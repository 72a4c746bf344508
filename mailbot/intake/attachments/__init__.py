"""Attachments: file formats and text extraction.

- ``extraction.contents`` opens the attachments of a message; ``extraction.look`` opens a single one.
- ``extraction.risky`` returns whether a file must be opened in a separate process.
"""
