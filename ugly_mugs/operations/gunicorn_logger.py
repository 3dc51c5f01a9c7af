"""gunicorn's own lines in the form of `logs`, and no access log."""

from gunicorn.config import Config
from gunicorn.glogging import Logger

from ugly_mugs.operations.logs import PlainSight


class GunicornLogger(Logger):
    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers = [PlainSight()]
        self.access_log.handlers = []

    def access(self, *args: object, **kwargs: object) -> None:
        """Nothing: requests are logged by URL rule, by the application."""
