"""Hiding words: spans in code points, every place or the first one, and a text that can only be shortened."""

import uuid

import pytest
from hypothesis import given, strategies as st

from reporting.redaction import spans as redactions
from reporting.redaction.spans import HIDDEN, OpenedRedaction, Span
from ugly_mugs.vault import CannotOpen, TooLong, symmetric

TEXT = "Anna and ANNA saw Annabel. Ana\u0301 🙈 met anna\nMill Lane, mill  lane."


def words(spans: list[Span]) -> list[str]:
    return [TEXT[span.start : span.end] for span in spans]


def test_every_place_is_found_in_any_case_but_not_inside_longer_words() -> None:
    assert words(redactions.occurrences(TEXT, "anna")) == ["Anna", "ANNA", "anna"]


def test_words_are_found_across_spaces_of_any_kind() -> None:
    assert words(redactions.occurrences(TEXT, " mill lane ")) == ["Mill Lane", "mill  lane"]
    assert words(redactions.occurrences(TEXT, "met anna mill")) == ["met anna\nMill"]


def test_an_emoji_is_found() -> None:
    assert words(redactions.occurrences(TEXT, "🙈")) == ["🙈"]
    assert redactions.occurrences(TEXT, "   ") == []


def test_the_first_visible_place_can_be_chosen() -> None:
    first, second, _third = redactions.occurrences(TEXT, "anna")

    places, missing = redactions.find_lines(TEXT, "anna\nnobody", first_only=True, besides=[first])

    assert (places, missing) == ([second], ["nobody"])


def test_overlapping_spans_become_one_placeholder() -> None:
    settled = redactions.redact("My name is Anna Bell.", [Span(11, 15), Span(14, 20)])

    assert settled == OpenedRedaction(f"My name is {HIDDEN}.", (Span(11, 20),), ["Anna Bell"], 21)


def test_invalid_spans_are_ignored() -> None:
    read = redactions.read_spans(["0-4-mo", "4-2-ph", "0-99-em", "x", "1-2-<script>", "-1-3-mo"])

    assert redactions.within(read, "Anna") == [Span(0, 4)]


@given(st.text(max_size=80), st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), max_size=8))
def test_exactly_the_code_points_outside_all_spans_remain(text: str, places: list[tuple[int, int]]) -> None:
    text = text.replace("…", ".").replace("[", "(").replace("]", ")")
    spans = redactions.within([Span(start, end) for start, end in places], text)

    settled = redactions.redact(text, spans)

    outside = [c for at, c in enumerate(text) if not any(s.start <= at < s.end for s in spans)]
    assert settled.text.replace(HIDDEN, "") == "".join(outside)
    assert settled.text.count(HIDDEN) == len(settled.spans)
    assert redactions.redact(text, settled.spans) == settled


class TestShortening:
    LEFT = "He came at ten. He shouted at me and left."

    @pytest.mark.parametrize("text", ["He came. He shouted.", "he came at TEN", "", "Shouted at me!", LEFT])
    def test_words_may_be_left_out(self, text: str) -> None:
        assert redactions.first_new_word(text, self.LEFT) is None

    @pytest.mark.parametrize(
        ("text", "new"), [("He came with Anna", "with"), ("He left and shouted", "and"), ("me me", "me")]
    )
    def test_no_word_may_be_added_or_moved(self, text: str, new: str) -> None:
        assert redactions.first_new_word(text, self.LEFT) == new


class TestSealing:
    KEY, ROW = symmetric.new_key(), uuid.uuid4()

    @given(st.text(max_size=200), st.lists(st.text(max_size=9), max_size=4))
    def test_any_text_is_opened_as_it_was_sealed(self, text: str, removed: list[str]) -> None:
        settled = OpenedRedaction(
            _writable(text), (Span(1, 2, "ph"),), [_writable(words) for words in removed], 7
        )

        sealed = redactions.seal(settled, redaction_id=self.ROW, content_key=self.KEY)

        assert redactions.open_sealed(sealed, redaction_id=self.ROW, content_key=self.KEY) == settled

    def test_another_report_s_key_opens_nothing(self) -> None:
        sealed = redactions.seal(OpenedRedaction("a", (), [], 1), redaction_id=self.ROW, content_key=self.KEY)

        with pytest.raises(CannotOpen):
            redactions.open_sealed(sealed, redaction_id=self.ROW, content_key=symmetric.new_key())
        with pytest.raises(CannotOpen):
            redactions.open_sealed(sealed, redaction_id=uuid.uuid4(), content_key=self.KEY)

    def test_texts_in_one_padding_bucket_have_equal_sealed_lengths(self) -> None:
        lengths = {
            len(
                redactions.seal(OpenedRedaction(text, (), [], 1), redaction_id=self.ROW, content_key=self.KEY)
            )
            for text in ("a", "a" * 500)
        }

        assert len(lengths) == 1

    def test_a_text_above_the_largest_size_is_refused(self) -> None:
        with pytest.raises(TooLong):
            redactions.seal(
                OpenedRedaction("a" * 70_000, (), [], 1), redaction_id=self.ROW, content_key=self.KEY
            )


def _writable(text: str) -> str:
    return text.encode("utf-8", "ignore").decode()
