"""Recovery words."""

import pytest

from ugly_mugs.vault import RecoveryWords, UnknownWord, Where, WrongLength


def test_the_words_give_the_same_key_in_any_layout(place: Where) -> None:
    words, key = RecoveryWords.generate()
    sealed = key.public().seal(b"an epoch", place)

    again = RecoveryWords.from_words(words.upper().replace(" ", "-"))

    assert len(words.split()) == 10
    assert again.open(sealed, place) == b"an epoch"


def test_each_call_gives_other_words() -> None:
    assert RecoveryWords.generate()[1].seed != RecoveryWords.generate()[1].seed


def test_a_wrong_word_is_pointed_out() -> None:
    words = RecoveryWords.generate()[0].split()
    words[6] = "acrobt"

    with pytest.raises(UnknownWord) as caught:
        RecoveryWords.from_words(" ".join(words))

    assert caught.value.position == 7


@pytest.mark.parametrize("typed", ["acrobat", "0000" * 10, "acrobat " * 11])
def test_anything_but_ten_words_is_refused(typed: str) -> None:
    with pytest.raises(WrongLength):
        RecoveryWords.from_words(typed)


def test_the_key_of_given_words_never_changes() -> None:
    key = RecoveryWords.from_words("abacus " * 10)

    assert key.public().fingerprint().hex() == (
        "ce44e887163109bb77e3b2f8177733b8dc63eec5091f62b5518af8d3b1af1079"
    )
