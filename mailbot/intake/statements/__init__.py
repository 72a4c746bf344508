"""What sentences say: word lists, intent, reasons, and exclusions."""
