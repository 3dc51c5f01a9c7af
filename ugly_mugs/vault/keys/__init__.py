"""Key material: key files, rings of roots, epochs, recovery words, staff passphrases."""
