"""Attachments: file formats and text extraction (``extraction.contents``)."""
