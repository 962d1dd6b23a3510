"""Values as people read them: what each form is for, and where one form ends and the next begins."""

import pytest

from agentops_otel.view.format import (
    ASCII,
    UNICODE,
    Glyphs,
    cut,
    dollars,
    model_of,
    one_line,
    plural,
    seconds,
    tokens_text,
)
from tests.view.spans import Trace


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (9_949_000, "9.9 ms"),
        (9_950_000, "10 ms"),
        (999_499_000, "999 ms"),
        (999_500_000, "1.00 s"),
        (99_994_000_000, "99.99 s"),
        (99_995_000_000, "100 s"),
    ],
)
def test_a_duration_never_says_ten_of_what_the_next_form_says_better(ns: int, text: str) -> None:
    """What would be rounded to 10.0 ms, 1000 ms or 100.00 s has the form of the next size."""
    assert seconds(ns) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (1, "$1.00"),
        (0.9999, "$0.9999"),
        (0.0001, "$0.0001"),
        (0.00009, "$0.000090"),
        (0, "$0.00"),
        (1234.5, "$1234.50"),
    ],
)
def test_an_amount_has_cents_from_a_dollar_on_and_more_digits_below(usd: float, text: str) -> None:
    """Four digits down to a hundredth of a cent, then six."""
    assert dollars(usd) == text


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (0, "span", "0 spans"),
        (1, "span", "1 span"),
        (2, "span", "2 spans"),
        (1, "process", "1 process"),
        (2, "process", "2 processes"),
    ],
)
def test_a_number_of_things_has_their_right_form(count: int, noun: str, text: str) -> None:
    """One, none or several."""
    assert plural(count, noun) == text


@pytest.mark.parametrize(
    ("used_in", "used_out", "glyphs", "text"),
    [
        (None, None, UNICODE, ""),
        (7, None, UNICODE, "7 tok"),
        (None, 8, UNICODE, "→8 tok"),
        (7, 8, UNICODE, "7→8 tok"),
        (0, 0, UNICODE, "0→0 tok"),
        (7, 8, ASCII, "7->8 tok"),
    ],
)
def test_tokens_are_said_as_far_as_they_are_known(
    used_in: int | None, used_out: int | None, glyphs: Glyphs, text: str
) -> None:
    """By default with the arrow that a stream of UTF-8 can show."""
    assert tokens_text(used_in, used_out, glyphs) == text
    assert glyphs is ASCII or tokens_text(used_in, used_out) == text


def test_the_signs_are_as_wide_in_both_forms_where_lines_stand_below_each_other() -> None:
    """The branches of a tree in ASCII stand where the others do."""
    assert UNICODE == ("✗ ", "├─ ", "└─ ", "│  ", "→", "…", "×")  # noqa: RUF001  # a multiplication sign is meant
    assert ASCII == ("x ", "|- ", "`- ", "|  ", "->", "...", "x")


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("12345", 6, "12345"), ("123456", 6, "123456"), ("1234567", 6, "12345…")],
)
def test_a_text_that_just_fits_is_not_cut(text: str, width: int, shown: str) -> None:
    """One that is cut has the width with its mark, in ASCII too."""
    assert cut(text, width, UNICODE) == shown
    assert len(cut(text, width, ASCII)) == len(shown)


def test_a_text_on_one_line_has_no_sign_that_moves_a_cursor() -> None:
    """White space is one space each; what cannot be printed is a sign of its own."""
    assert one_line(" a\tb\r\n c \x1b[1m\udcffé") == "a b c �[1m�é"


@pytest.mark.parametrize(
    ("attributes", "model"),
    [
        ({"gen_ai.request.model": "asked", "gen_ai.response.model": "answered"}, "answered"),
        ({"gen_ai.request.model": "asked", "gen_ai.response.model": ""}, "asked"),
        ({"gen_ai.request.model": "asked"}, "asked"),
        ({}, None),
    ],
)
def test_the_model_is_the_one_that_answered(attributes: dict[str, str], model: str | None) -> None:
    """Else the one that was asked."""
    assert model_of(Trace().span("chat", attributes=attributes)) == model
