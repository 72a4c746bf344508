"""Email standards: raw bytes to a ``Message``, and drafts to raw bytes. Nothing here knows about RMAs.

- ``parse.parse`` parses an email; ``mime.UnreadableError`` is the only exception it raises.
- ``build.build`` writes an email; ``build.Draft`` is its input.
- ``addresses``, ``headers``, ``charsets``, ``body``, ``html``, and ``mime`` are the building blocks of both.
- ``automated``, ``bounce``, ``authentication``, and ``reply_text`` classify an email and separate its new text.
"""
