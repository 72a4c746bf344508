"""Serial numbers, references, amounts, shipments, and tables in a text.

- ``serials.serial_key`` is the registry key of a serial number.
- ``rejected.rejected_strings`` explains which strings were not accepted as serial numbers.
"""
