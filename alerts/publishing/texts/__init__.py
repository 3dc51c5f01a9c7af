"""The sealed contents of an alert, its texts, and the hash that an approval binds."""
