"""A development stand-in for Twilio and a mail server, with a page that shows every phone and inbox.

It listens on this machine only and keeps everything in memory. `server.Sandbox` runs it in a thread (for tests);
`python -m ugly_mugs.sandbox` runs it as a process of its own. This file imports nothing, so that `__main__` can set
its signal handler before the other modules are loaded.
"""
