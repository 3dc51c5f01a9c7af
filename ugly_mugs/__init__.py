"""The ground every feature stands on: keys, sending, accounts, settings and the application itself."""
