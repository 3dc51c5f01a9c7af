"""A report comes in, is judged, and may become intelligence."""
