"""Figures drawn with Matplotlib."""

import signal
import weakref

import pytest

from stages.reporting.figures import png


def test_ctrl_c_in_a_callback_whose_exceptions_are_ignored_is_not_lost():
    interrupted = []

    def interrupt(reference):
        interrupted.append(reference)
        signal.raise_signal(signal.SIGINT)

    def draw(figure):
        short_lived = figure.add_axes((0, 0, 1, 1)).transData.frozen()
        reference = weakref.ref(short_lived, interrupt)
        del short_lived
        assert interrupted == [reference]

    with pytest.raises(KeyboardInterrupt):
        png((1, 1), draw)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
