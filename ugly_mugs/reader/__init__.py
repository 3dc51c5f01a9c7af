"""The place of work on other people's words and files that needs no key, no network and no database.

What it does now, it does inside the web; it has a place and a shape of its own so that it can become a process.
"""
