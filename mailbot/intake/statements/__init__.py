"""What sentences say: word lists, intent, reasons, and exclusions.

- ``word_lists.load`` loads the word lists.
- ``reasons.symptom`` returns the symptom that a reason names.
"""
