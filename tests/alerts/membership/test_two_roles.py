"""Web and worker with no more rights than the grants give: on PostgreSQL they are two roles."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.pool import ConnectionPoolEntry

from alerts.membership import jobs, queries
from alerts.membership.models import Member, MemberState
from tests.make.cast import Colleague
from tests.make.members import EMAIL, PHONE, Members
from ugly_mugs.database.engine import db, is_sqlite
from ugly_mugs.migrations import grants
from ugly_mugs.outbox import addresses, optouts
from ugly_mugs.outbox.models import Channel, Delivery, Handover, HandoverState
from ugly_mugs.outbox.registry import registry


def give_rights() -> None:
    """Apply the grants, as `flask db upgrade` does at its end. SQLite has no roles: the test runs without them."""
    if not is_sqlite():
        with db.engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE alembic_version (version_num varchar(32))"))
            assert grants.apply(connection) == []


def become(role: grants.Role) -> None:
    """Every new connection of the current application uses this role from now on."""
    db.session.remove()
    db.engine.dispose()
    if is_sqlite():
        return

    @sa.event.listens_for(db.engine, "connect")
    def _connect(connection: Connection, entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]  # it is psycopg's own
        cursor.execute(f"SET SESSION ROLE {role}")
        connection.commit()

    with db.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT current_user")) == role


def test_a_whole_membership_needs_no_more(members: Members, charlie: Colleague) -> None:
    give_rights()
    become(grants.Role.WEB)
    with members.worker.app_context():
        become(grants.Role.WORKER)

    sam = members.apply(phone=PHONE, email=EMAIL)
    assert sam.sign_in().status_code == 303
    member_id = sam.member.id
    assert charlie.browser.get("/admin/members").status_code == 200
    assert charlie.post(f"/admin/members/{member_id}/accept").status_code == 303
    assert sam.member.state is MemberState.ACTIVE
    assert sam.add_address("sam.two@example.org").status_code == 303

    with members.worker.app_context():
        known, now = registry(), members.clock.now()
        optouts.opt_out(registry=known, owner_id=member_id, channel=Channel.SMS, now=now)
        db.session.commit()
        address = addresses.of_owner(member_id, Channel.SMS)
        assert address is not None and optouts.start_again(registry=known, address=address, now=now)
        db.session.commit()
        db.session.scalars(
            sa.select(Delivery.id).where(queries.receives(Delivery.recipient_id, Delivery.channel))
        )
        jobs.sweep()
        db.session.remove()

    assert sam.post("/alerts/end").status_code == 303
    members.work()
    assert set(db.session.scalars(sa.select(Handover.state))) == {HandoverState.DONE}
    assert db.session.scalars(sa.select(Member.state)).one() is MemberState.REMOVED
