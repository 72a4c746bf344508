"""Attachments: file formats and text extraction."""
