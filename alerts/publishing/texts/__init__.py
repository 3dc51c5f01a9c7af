"""What an alert says: its sealed contents, the words made from them, the hash that an approval binds."""
