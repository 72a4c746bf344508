"""Policies: rules files, their verification, and the facts that rules can ask for."""
