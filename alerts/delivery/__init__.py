"""Who gets which alert: the audience rule, the fan-out and its counts."""
