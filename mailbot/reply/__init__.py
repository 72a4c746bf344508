"""Render the notices of a decision as emails: the texts, the documents, and the frozen bytes."""
