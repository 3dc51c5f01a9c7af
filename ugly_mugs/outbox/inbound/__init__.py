"""What comes back: status callbacks, inbound texts, opt-out links, and what the web hands to the worker."""
