"""The SMS provider and the mail server: sending a message to them, and the meaning of their answers."""
