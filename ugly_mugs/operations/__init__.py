"""Running the service: start checks, health, doctor, logs, the demo, and the commands."""
