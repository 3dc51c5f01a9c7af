"""Where members read alerts."""
