"""Member admins decide about applications and members."""
