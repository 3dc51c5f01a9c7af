"""What members change themselves: settings, addresses, a pause, the end."""
