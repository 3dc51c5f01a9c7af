"""Hiding what points to the reporter, and the check that refuses a text which still does."""
