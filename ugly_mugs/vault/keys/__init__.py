"""Key material: key files, root keys, epochs, recovery words, staff passphrases."""
