"""Message to Request: what an email asks for, read with the word lists of the rules.

- ``reading.read_message`` parses an email and opens its attachments.
- ``understand.understand`` turns a message into a ``Request``.
- ``desk.Desk`` is the configuration of one mailbox.
- ``entities.serials.serial_key`` is the registry key of a serial number.
"""
