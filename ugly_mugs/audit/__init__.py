"""The audit log: who did what to which id, chained so that a change shows."""
