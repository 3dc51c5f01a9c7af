"""Coming back with a receipt: reading, adding, deciding, withdrawing."""
