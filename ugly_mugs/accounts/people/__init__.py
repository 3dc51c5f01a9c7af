"""Inviting, enrolling, admitting and removing staff."""
