"""Triage, redaction and the leak check."""
