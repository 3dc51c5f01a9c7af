"""Joining, proving an address, vetting, preferences and the record of consent."""
