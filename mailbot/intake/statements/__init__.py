"""What sentences say: word lists, intent, reasons, exclusions."""
