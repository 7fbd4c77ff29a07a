"""Numbers of a framing, as files have them."""

import pytest

from nn.images.framing import Framing

BOUNDS = {"side": (8.9, 12.1), "rows": (7.9, 8.1), "columns": (11.9, 12.1), "ink": (0.04, 0.05)}
FRAMING = Framing(True, box=(11.0, 13.0), centre=(8.0, 12.0), peak=0.8, **BOUNDS)


def test_numbers_and_back():
    assert Framing.of_numbers(FRAMING.numbers(), (20, 24)) == FRAMING


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, 2.0), (1, 0.0), (2, 25.0), (3, -1.0), (4, 24.0), (5, 0.0), (9, float("nan"))],
)
def test_numbers_that_are_no_framing(place, value):
    numbers = FRAMING.numbers()
    numbers[place] = value
    with pytest.raises(ValueError, match="framing: expected"):
        Framing.of_numbers(numbers, (20, 24))
    with pytest.raises(ValueError, match="framing: expected 14"):
        Framing.of_numbers(numbers[:-1], (20, 24))
