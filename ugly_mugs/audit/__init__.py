"""The audit log: who did what to which id, in a MAC chain that makes changes detectable."""
