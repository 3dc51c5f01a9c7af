"""The yardstick for filing: the least a Flask application on the same libraries can do for the same form.

It serves a page of the same size, and for each form sent it does one validation of all its fields, one seal and one
durable insert. It has no sessions, no headers, no idempotence, no tags and no receipt.
"""

import os
import uuid
from pathlib import Path

import sqlalchemy as sa
from flask import Flask, Response, request
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.benchmarks.questions import names_in
from ugly_mugs.vault import PrivateKey, Where
from ugly_mugs.vault.padding import TEXT


class Base(DeclarativeBase):
    """Its one table."""


class Sent(Base):
    __tablename__ = "sent"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    text: Mapped[bytes]


_form = Path(os.environ["BARE_FORM"]).read_bytes()
_key = PrivateKey.generate().public()
_text = fields.String(load_default="", validate=validate.Length(max=20_000))
_names = names_in(_form.decode())
# marshmallow reads a dot as a step into another object.
_schema = Schema.from_dict({name.replace(".", "_"): _text for name in _names})()

app = Flask("bare")
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{os.environ['BARE_DATABASE']}"
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"timeout": 30}, "pool_size": 32}
db = SQLAlchemy(app, model_class=Base)

with app.app_context():

    @sa.event.listens_for(db.engine, "connect")
    def _connect(connection: object, record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]

    @sa.event.listens_for(db.engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    Base.metadata.create_all(db.engine)


@app.get("/report")
def form() -> Response:
    return Response(_form, mimetype="text/html")


@app.post("/report")
def send() -> Response:
    answers = _schema.load({name.replace(".", "_"): request.form.get(name, "") for name in _names})
    row = uuid.uuid4()
    plain = "\n".join(text for text in answers.values() if text).encode()
    sealed = _key.seal(plain, Where("sent", "text", row), sizes=TEXT)
    db.session.add(Sent(id=row, text=sealed))
    db.session.commit()
    return Response(b"<p>Thank you. " + row.hex.encode() + b"</p>", mimetype="text/html")
