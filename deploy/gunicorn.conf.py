"""gunicorn for the web: threads, no access log, and no path or address of a visitor in any log line."""

import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
# A sign-in may hold its thread for five seconds, waiting for a derivation slot; other requests need free threads.
threads = 32
timeout = 60
graceful_timeout = 10
keepalive = 5
# Enough for all our requests; bounds the memory that headers can take.
limit_request_line = 4096
limit_request_fields = 64
limit_request_field_size = 8190
control_socket_disable = True
accesslog = None
logger_class = "ugly_mugs.operations.gunicorn_logger.GunicornLogger"
proc_name = "ugly-mugs-web"
# gunicorn's workers signal that they are alive through files; on tmpfs a busy disk cannot delay them.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
