"""Staff, roles, organisations, sessions and the keys people hold."""
