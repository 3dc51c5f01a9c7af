"""Sending SMS and e-mail: the ledger of deliveries, claims, pace, gateways, and what comes in."""
