"""Running the service: start checks, health, doctor, logs, launcher, demo data, worker command."""
