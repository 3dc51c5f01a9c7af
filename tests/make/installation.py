"""The first start of an installation, as `flask keys init` does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask

from ugly_mugs.accounts.keys import epochs, recovery
from ugly_mugs.app import create_app
from ugly_mugs.clock import Clock
from ugly_mugs.database.engine import db
from ugly_mugs.settings import Settings
from ugly_mugs.vault import ServiceVault
from ugly_mugs.vault.keys import keyfiles


@dataclass
class Installation:
    """`recovery_words` stand on paper in life."""

    recovery_words: str


@contextmanager
def application(settings: Settings, clock: Clock | None = None) -> Iterator[Flask]:
    """An application inside its context; at the end its connections are closed."""
    app = create_app(settings, clock=clock)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def install(settings: Settings, clock: Clock) -> Installation:
    keyfiles.create(settings.keys_dir)
    vault = ServiceVault(keyfiles.load_service(settings.keys_dir))
    with application(settings, clock):
        first = recovery.first_start(vault=vault, now=clock.now())
        db.session.commit()
        for epoch in first.epochs:
            epochs.mark(settings.keys_dir, epoch, vault=vault)
    return Installation(recovery_words=first.words)
