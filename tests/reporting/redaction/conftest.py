"""The reasons that the leak check and marks give are translated texts."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel


@pytest.fixture(scope="module")
def in_english() -> Iterator[None]:
    app = Flask("redaction")
    Babel(app)
    with app.test_request_context():
        yield
