"""Epoch keys: one seal admits a holder, and the newest epoch opens all former ones."""

from uuid import uuid4

import pytest

from ugly_mugs.vault import CannotOpen, PrivateKey, Where


def seal_place() -> Where:
    return Where("epoch_seals", "sealed_key", uuid4())


def test_a_holder_opens_the_epoch_and_a_stranger_does_not() -> None:
    holder, epoch, place = PrivateKey.generate(), PrivateKey.generate(), seal_place()

    sealed = holder.public().seal(epoch.seed, place)

    assert PrivateKey(holder.open(sealed, place)) == epoch
    with pytest.raises(CannotOpen):
        PrivateKey(PrivateKey.generate().open(sealed, place))


def test_a_seal_does_not_open_in_another_row() -> None:
    holder, epoch = PrivateKey.generate(), PrivateKey.generate()

    sealed = holder.public().seal(epoch.seed, seal_place())

    with pytest.raises(CannotOpen):
        PrivateKey(holder.open(sealed, seal_place()))


def test_a_holder_of_the_newest_epoch_opens_all_former_ones() -> None:
    newcomer = PrivateKey.generate()
    chain = [PrivateKey.generate() for _ in range(4)]
    places = [seal_place() for _ in range(4)]
    links = [
        later.public().seal(former.seed, place)
        for former, later, place in zip(chain[:-1], chain[1:], places[:-1], strict=True)
    ]
    admission = newcomer.public().seal(chain[-1].seed, places[-1])

    opened = [PrivateKey(newcomer.open(admission, places[-1]))]
    for link, place in zip(reversed(links), reversed(places[:-1]), strict=True):
        opened.append(PrivateKey(opened[-1].open(link, place)))

    assert opened == list(reversed(chain))


def test_a_former_epoch_does_not_open_the_next() -> None:
    former, later, place = PrivateKey.generate(), PrivateKey.generate(), seal_place()
    sealed = PrivateKey.generate().public().seal(later.seed, place)

    with pytest.raises(CannotOpen):
        PrivateKey(former.open(sealed, place))
