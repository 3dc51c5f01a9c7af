"""Signing in with a code sent to an address."""
