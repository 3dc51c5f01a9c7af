"""What comes in: status callbacks, inbound SMS, opt-out links, and what the web hands over to the worker."""
