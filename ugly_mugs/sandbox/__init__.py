"""A local stand-in for Twilio and a mail server, with a page that shows each phone and inbox.

It is a development tool: loopback only, in memory only, English only. `server.Sandbox` runs one in a thread,
`python -m ugly_mugs.sandbox` one as its own process. This file imports nothing, so that an interrupt during
start-up meets the handler of `__main__` and not a half-done import.
"""
