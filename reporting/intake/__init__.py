"""The form, the receipt, the conversation, consents and outputs."""
