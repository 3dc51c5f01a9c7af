"""Sends gunicorn's own log lines through `logs`; there is no access log."""

from gunicorn.config import Config
from gunicorn.glogging import Logger

from ugly_mugs.operations.logs import JsonHandler


class GunicornLogger(Logger):
    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers = [JsonHandler()]
        self.access_log.handlers = []

    def access(self, *args: object, **kwargs: object) -> None:
        """Log nothing: the application logs requests by URL rule (`logs`)."""
