"""The SMS provider and the mail server: how a message is handed to them, and what their answers mean."""
