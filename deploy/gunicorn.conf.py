"""gunicorn for the web: threads, no access log, no path or visitor in any line, nothing spooled to disk."""

import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
# Sign-ins wait up to five seconds for their turn at one slow derivation each; the others must not wait for them.
threads = 32
timeout = 60
graceful_timeout = 10
keepalive = 5
# Long enough for every form of ours, short enough that nobody fills the memory with a header.
limit_request_line = 4096
limit_request_fields = 64
limit_request_field_size = 8190
control_socket_disable = True
accesslog = None
logger_class = "ugly_mugs.operations.gunicorn_logger.GunicornLogger"
proc_name = "ugly-mugs-web"
# Heartbeats of gunicorn's workers are files; in memory they cannot stall on a busy disk.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
