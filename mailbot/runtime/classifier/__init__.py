"""The classifier: what a sentence says, by a model in a process of its own or by an endpoint."""
