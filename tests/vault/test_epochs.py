"""Epoch keys: one seal admits a holder, and the newest epoch opens all former ones."""

from uuid import uuid4

import pytest

from ugly_mugs.vault import CannotOpen, PrivateKey, Where
from ugly_mugs.vault.keys import epochs


def seal_place() -> Where:
    return Where("epoch_seals", "sealed_key", uuid4())


def test_a_holder_opens_the_epoch_and_a_stranger_does_not() -> None:
    holder, epoch, place = PrivateKey.generate(), epochs.new_epoch(), seal_place()

    sealed = epochs.seal_epoch_to(holder.public(), epoch, place)

    assert epochs.open_epoch(holder, sealed, place) == epoch
    with pytest.raises(CannotOpen):
        epochs.open_epoch(PrivateKey.generate(), sealed, place)


def test_a_seal_does_not_open_in_another_row() -> None:
    holder, epoch = PrivateKey.generate(), epochs.new_epoch()

    sealed = epochs.seal_epoch_to(holder.public(), epoch, seal_place())

    with pytest.raises(CannotOpen):
        epochs.open_epoch(holder, sealed, seal_place())


def test_a_holder_of_the_newest_epoch_opens_all_former_ones() -> None:
    newcomer = PrivateKey.generate()
    chain = [epochs.new_epoch() for _ in range(4)]
    places = [seal_place() for _ in range(4)]
    links = [
        epochs.seal_epoch_to(later.public(), former, place)
        for former, later, place in zip(chain[:-1], chain[1:], places[:-1], strict=True)
    ]
    admission = epochs.seal_epoch_to(newcomer.public(), chain[-1], places[-1])

    opened = [epochs.open_epoch(newcomer, admission, places[-1])]
    for link, place in zip(reversed(links), reversed(places[:-1]), strict=True):
        opened.append(epochs.open_epoch(opened[-1], link, place))

    assert opened == list(reversed(chain))


def test_a_former_epoch_does_not_open_the_next() -> None:
    former, later, place = epochs.new_epoch(), epochs.new_epoch(), seal_place()
    sealed = epochs.seal_epoch_to(PrivateKey.generate().public(), later, place)

    with pytest.raises(CannotOpen):
        epochs.open_epoch(former, sealed, place)
