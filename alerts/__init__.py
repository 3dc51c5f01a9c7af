"""A warning goes out, and its fate is known."""
