"""The application starts and answers."""

from flask.testing import FlaskClient


def test_the_first_page_opens(client: FlaskClient) -> None:
    answer = client.get("/")

    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
