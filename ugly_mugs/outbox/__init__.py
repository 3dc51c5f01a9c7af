"""How anything reaches a phone or an inbox: the ledger, its claims, pacing, gateways and what comes back."""
