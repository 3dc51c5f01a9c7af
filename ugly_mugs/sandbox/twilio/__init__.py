"""What the sandbox imitates of Twilio: its Messages API, its errors, and its handling of replies and STOP."""
