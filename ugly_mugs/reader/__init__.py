"""Work on reporters' texts and files that needs no key, no network and no database.

Today it runs inside the web process. It is kept apart so that it can become a process without those rights.
"""
