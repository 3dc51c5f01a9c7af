"""Redaction: hides words that identify the reporter, and refuses a text that still does."""
