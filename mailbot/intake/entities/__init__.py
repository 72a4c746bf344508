"""Serial numbers, references, amounts, shipments, and tables in a text."""
