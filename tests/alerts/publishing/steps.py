"""Steps that several tests of publishing share."""

import uuid
from typing import Any

import sqlalchemy as sa

from alerts.publishing.models import Change
from tests.make.alerts import Newsroom
from tests.make.cast import Colleague
from ugly_mugs.database.engine import db

ELSEWHERE = {"regions": ["wales"]}


def next_version(
    newsroom: Newsroom, former: uuid.UUID, alice: Colleague, change: Change = Change.CORRECTION
) -> uuid.UUID:
    answer = newsroom.press(former, "version", alice, change=change.value)
    assert answer.status_code == 303, answer.text
    return uuid.UUID(answer.location.rsplit("/", 1)[1])


def set_row(model: Any, row_id: uuid.UUID, **values: Any) -> None:
    """Write to a row as an attacker could who can write to the database but has no key."""
    db.session.execute(sa.update(model).where(model.id == row_id).values(**values))
    db.session.commit()
