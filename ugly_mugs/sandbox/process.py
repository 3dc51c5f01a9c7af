"""The sandbox's command line: reads the arguments, listens, and stops on SIGINT or SIGTERM."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from ugly_mugs.sandbox.callbacks import is_well_formed
from ugly_mugs.sandbox.provider import Provider
from ugly_mugs.sandbox.server import Addresses, serve
from ugly_mugs.sandbox.settings import ACCOUNT_SID, AUTH_TOKEN, SandboxSettings


def run() -> int:
    """The exit status: 0 after a signal, 1 when a port could not be used, 2 for wrong arguments."""
    parser = _parser()
    try:
        settings = _settings(parser.parse_args())
    except ValueError as problem:
        parser.error(str(problem))
    try:
        asyncio.run(_serve(settings))
    except OSError as problem:
        raise SystemExit(f"The sandbox did not start: {problem.strerror or problem}.") from None
    return 0


async def _serve(settings: SandboxSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(Provider(settings), stop, lambda addresses: _announce(addresses, settings))


def _announce(addresses: Addresses, settings: SandboxSettings) -> None:
    sys.stdout.write(
        f"Sandbox page: {addresses.url}/\nSandbox mail: {addresses.smtp_url}\n"
        f"Sandbox account: {settings.account_sid}\n"
    )
    # The process that started this one waits for these lines, also through a file or a pipe.
    sys.stdout.flush()


def _settings(arguments: argparse.Namespace) -> SandboxSettings:
    webhook = arguments.message_webhook
    if webhook is not None and not is_well_formed(webhook):
        raise ValueError("--message-webhook is not a web address.")
    return SandboxSettings(
        port=arguments.port,
        smtp_port=arguments.smtp_port,
        host=arguments.host,
        account_sid=arguments.account_sid,
        auth_token=arguments.auth_token,
        latency_ms=arguments.latency_ms,
        callback_delay_ms=arguments.callback_delay_ms,
        message_webhook=webhook,
        demo_file=arguments.demo_file,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ugly_mugs.sandbox", description="A local stand-in for Twilio and a mail server."
    )
    parser.add_argument("--port", type=int, default=8001, help="page and Twilio API (0: any free port)")
    parser.add_argument("--smtp-port", type=int, default=8002, help="mail (0: any free port)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="an address of this machine; nothing else is accepted"
    )
    parser.add_argument("--account-sid", default=ACCOUNT_SID)
    parser.add_argument("--auth-token", default=AUTH_TOKEN)
    parser.add_argument("--message-webhook", metavar="URL", help="where replies from a phone are posted")
    parser.add_argument("--latency-ms", type=_milliseconds, default=0.0, help="how long each API call takes")
    parser.add_argument(
        "--callback-delay-ms", type=_milliseconds, default=200.0, help="time between two states"
    )
    parser.add_argument("--demo-file", type=Path, help="JSON with the demo logins to show")
    return parser


def _milliseconds(written: str) -> float:
    number = float(written)
    if not 0 <= number <= 600_000:
        raise argparse.ArgumentTypeError("between 0 and 600,000 milliseconds")
    return number
