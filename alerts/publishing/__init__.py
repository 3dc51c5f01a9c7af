"""Drafting, approving, correcting and stopping alerts."""
