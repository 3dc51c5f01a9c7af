"""Drafting, wording, approval and correction of alerts."""
