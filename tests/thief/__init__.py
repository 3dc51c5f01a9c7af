"""What a thief of the database, or of the keys as well, can read: the promises of `docs/threat-model.md`, tried out."""
