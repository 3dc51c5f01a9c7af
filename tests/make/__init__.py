"""Builders of rows for tests; each goes through the services, so that no test row is impossible in production."""
