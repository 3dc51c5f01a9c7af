"""Sending: texts and mails end to end by one worker, beside a bare loop of the same client in the same minute."""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.sending import Bench, LoadTarget, load_target
from ugly_mugs.outbox.models import Channel

ROUNDS = 3
TEXTS, MAILS = 6_000, 15_000
TEXTS_BAR, SLOW_TEXTS_BAR, TEXTS_SHARE = 1_700, 1_500, 0.85
MAILS_BAR, MAILS_SHARE = 5_000, 0.60
# More threads gain nothing while the target answers at once; a provider 100 ms away needs them.
IN_FLIGHT, IN_FLIGHT_FAR = 16, 256


def figures() -> Iterator[Figure]:
    """Every figure of sending on SQLite, which every installation starts with."""
    with tempfile.TemporaryDirectory() as folder, load_target() as target:
        url = f"sqlite:///{folder}/outbox.sqlite3"
        yield from texts(url, Path(folder), target)
        yield from texts_far_away(url, Path(folder), target)
        yield from mails(url, Path(folder), target)


def texts(url: str, folder: Path, target: LoadTarget) -> Iterator[Figure]:
    target.set_latency(0)
    bench = Bench(url, folder, target, IN_FLIGHT)
    try:
        rate, share = _side_by_side(bench, Channel.SMS, TEXTS, bench.bare_texts)
    finally:
        bench.close()
    yield _rate("texts end to end, provider at 0 ms", rate, TEXTS_BAR)
    yield _share("texts end to end, share of a bare loop", share, TEXTS_SHARE)


def texts_far_away(url: str, folder: Path, target: LoadTarget) -> Iterator[Figure]:
    target.set_latency(100)
    bench = Bench(url, folder, target, IN_FLIGHT_FAR)
    try:
        rates = []
        for _ in range(ROUNDS):
            bench.queue(Channel.SMS, TEXTS)
            rates.append(bench.drain(Channel.SMS, TEXTS))
    finally:
        bench.close()
        target.set_latency(0)
    yield _rate("texts end to end, provider at 100 ms", statistics.median(rates), SLOW_TEXTS_BAR)


def mails(url: str, folder: Path, target: LoadTarget) -> Iterator[Figure]:
    bench = Bench(url, folder, target, IN_FLIGHT)
    try:
        rate, share = _side_by_side(bench, Channel.EMAIL, MAILS, bench.bare_mails)
    finally:
        bench.close()
    yield _rate("e-mails end to end", rate, MAILS_BAR)
    yield _share("e-mails end to end, share of a bare smtplib loop", share, MAILS_SHARE)


def _side_by_side(
    bench: Bench, channel: Channel, count: int, bare: Callable[[int], float]
) -> tuple[float, float]:
    """The median rate, and the median of each round's share of the bare loop just before it."""
    bare(count // 10)
    rates, shares = [], []
    for _ in range(ROUNDS):
        alone = bare(count)
        bench.queue(channel, count)
        rates.append(bench.drain(channel, count))
        shares.append(rates[-1] / alone)
    return statistics.median(rates), statistics.median(shares)


def _rate(name: str, rate: float, bar: int) -> Figure:
    return Figure(name, round(rate), "messages/s", f"≥ {bar:,}", rate >= bar)


def _share(name: str, share: float, bar: float) -> Figure:
    return Figure(name, round(share, 2), "of the bare loop", f"≥ {bar}", share >= bar)
