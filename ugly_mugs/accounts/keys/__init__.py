"""The epochs of the desk and vetting keys, and the recovery words."""
