"""How a query would be run on a ledger that holds much, so that no plan is chosen because everything costs nothing."""

import re
import uuid
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from tests.outbox.posting import Post
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.outbox.models import Channel, Delivery, DeliveryState, MessageKind

D = DeliveryState

# Of a ledger that has sent for a while most is over and forgotten, and little of each other state is there.
ROWS = {D.DELIVERED: 6_000, D.QUEUED: 600, D.ACCEPTED: 60, D.ATTEMPTING: 20, D.UNKNOWN: 20}


def fill_ledger(post: Post) -> None:
    now, subject = post.now(), uuid.uuid4()
    rows: list[dict[str, Any]] = []
    for state, count in ROWS.items():
        for number in range(count):
            moment = now - timedelta(seconds=number)
            rows.append(
                {
                    "kind": MessageKind.ALERT,
                    "subject_id": subject,
                    "recipient_id": uuid.uuid4(),
                    "channel": Channel.SMS if number % 2 else Channel.EMAIL,
                    "state": state,
                    "priority": number % 3 * 10,
                    "not_before": moment,
                    "attempted_at": moment,
                    "lease_ends_at": moment if state in (D.ATTEMPTING, D.UNKNOWN) else None,
                    "provider_id": f"SM{number}" if number % 50 == 0 or state is D.ACCEPTED else None,
                }
            )
    db.session.execute(sa.insert(Delivery), rows)
    db.session.commit()
    with db.engine.begin() as connection:
        connection.execute(sa.text("ANALYZE deliveries"))


def plan_of(query: sa.Executable) -> str:
    """The plan, one step in each line, as the database of this test describes it."""
    written = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]
    explain = "EXPLAIN QUERY PLAN" if is_sqlite() else "EXPLAIN"
    with db.engine.connect() as connection:
        steps = connection.exec_driver_sql(f"{explain} {written}").all()
        connection.rollback()
    return "\n".join(" ".join(map(str, step)) for step in steps)


def whole_reads(plan: str) -> list[str]:
    """The steps that read every delivery, or every entry of an index."""
    return re.findall(r".*(?:\bSCAN deliveries|Seq Scan on deliveries).*", plan)
