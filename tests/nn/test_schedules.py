"""Schedules, at the points where their values are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import SCHEDULES, Schedule


def test_known_values():
    assert Schedule("constant")(7.5) == 1
    step = Schedule("step", lr_decay=0.1, lr_decay_epochs=4)
    assert [step(e) for e in (0, 3.99, 4, 8)] == pytest.approx([1, 1, 0.1, 0.01])
    assert Schedule("exponential", lr_decay=0.5)(2) == 0.25
    cosine = Schedule("cosine", epochs=10)
    assert [cosine(e) for e in (0, 5, 10)] == pytest.approx([1, 0.5, 0])
    cycle = Schedule("one_cycle", epochs=10, warmup=5)
    assert [cycle(e) for e in (0, 2.5, 5, 10)] == pytest.approx([0.04, 0.52, 1, 0])
    cycle = Schedule("one_cycle", epochs=10)
    assert [cycle(e) for e in (0, 3, 6.5, 10)] == pytest.approx([0.04, 1, 0.5, 0])


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "one_cycle"])
def test_warmup_rises_in_a_line_from_nothing(name):
    factor = Schedule(name, epochs=10, warmup=2, lr_decay=1.0)
    assert [factor(e) for e in (0, 0.5, 1)] == [0, 0.25, 0.5]
    assert factor(2) == pytest.approx(1)
    assert name != "cosine" or factor(6) == pytest.approx(0.5)


@given(st.sampled_from(SCHEDULES), st.floats(1, 500), st.floats(0, 1), st.floats(0.01, 1))
def test_factors_stay_between_nothing_and_one(name, epochs, part, decay):
    factor = Schedule(name, epochs=epochs, lr_decay=decay, lr_decay_epochs=3)
    assert 0 <= factor(part * epochs) <= 1


@pytest.mark.parametrize(
    "options",
    [{"name": "linear"}, {"warmup": -1}, {"epochs": 3, "warmup": 3}, {"lr_decay": 0},
     {"lr_decay_epochs": 0}, {"lr_decay": float("nan")}],
)  # fmt: skip
def test_impossible_schedules_are_refused(options):
    with pytest.raises(ValueError, match="expected"):
        Schedule(**options)
