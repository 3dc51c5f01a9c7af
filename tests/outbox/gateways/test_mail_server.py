"""The mail server must prove to be the one in the settings before it is told a password or a mail."""

from pathlib import Path

import pytest

from tests.outbox.mail_over_tls import HERE, MailOverTls, certificate_for
from tests.outbox.posting import Post
from ugly_mugs.outbox.gateways.smtp import MailServer
from ugly_mugs.outbox.gateways.transport import NeverConnected, SenderBroken, Untrusted
from ugly_mugs.outbox.models import Channel, DeliveryState

TLS = ("smtps", "smtp+starttls")
PATIENCE = 5.0


def trust(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator has a machine trust a certificate: OpenSSL's own variable names the file."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@pytest.mark.parametrize("scheme", TLS)
def test_a_server_that_nobody_vouches_for_is_as_good_as_nobody(tmp_path: Path, scheme: str) -> None:
    with MailOverTls(scheme, certificate_for(HERE, tmp_path)) as server:
        with pytest.raises(Untrusted) as caught:
            MailServer.from_url(server.url).connect(PATIENCE)

        assert isinstance(caught.value, NeverConnected)
        assert server.verbs <= {"EHLO", "STARTTLS"}


@pytest.mark.parametrize("scheme", TLS)
def test_a_trusted_certificate_for_another_name_does_not_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    certificate = certificate_for("mail.example.org", tmp_path)
    trust(certificate, monkeypatch)

    with MailOverTls(scheme, certificate) as server:
        with pytest.raises(Untrusted):
            MailServer.from_url(server.url).connect(PATIENCE)

        assert server.verbs <= {"EHLO", "STARTTLS"}


@pytest.mark.parametrize("scheme", TLS)
def test_a_trusted_server_of_that_name_is_signed_in_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    certificate = certificate_for(HERE, tmp_path)
    trust(certificate, monkeypatch)

    with (
        MailOverTls(scheme, certificate) as server,
        MailServer.from_url(server.url).connect(PATIENCE) as connection,
    ):
        assert connection.noop()[0] == 250
        assert "AUTH" in server.verbs


def test_a_server_that_takes_starttls_away_gets_no_password(tmp_path: Path) -> None:
    certificate = certificate_for(HERE, tmp_path)

    with MailOverTls("smtp+starttls", certificate, offers_tls=False) as server:
        with pytest.raises(SenderBroken):
            MailServer.from_url(server.url).connect(PATIENCE)

        assert "AUTH" not in server.verbs


@pytest.mark.parametrize("scheme", TLS)
def test_no_mail_goes_to_an_untrusted_server_and_the_log_says_why(
    post: Post, tmp_path: Path, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    with MailOverTls(scheme, certificate_for(HERE, tmp_path)) as server:
        post.worker.mail_gateway._server = MailServer.from_url(server.url)
        post.queue(post.subject(), post.people(3, channel=Channel.EMAIL), channel=Channel.EMAIL)
        post.worker.mails.drain()

        assert server.verbs <= {"EHLO", "STARTTLS"}

    assert post.states() == {DeliveryState.QUEUED: 3}
    assert post.registry.circuits[Channel.EMAIL].is_open
    assert "the server that messages are sent to has no certificate for its name" in caplog.messages
