"""The rule that decides whether a prediction is reliable.

    verdict(network.scores(image[None])[0])  # None, "not sure" or "unlike any class"

It uses the scores of the classes. Probabilities are scores divided by their sum, so a class can
have a high probability although the scores of all classes are near 0. The margin between the two
highest scores was better on MNIST's validation images than the highest score or their ratio.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNSURE = "not sure"
UNLIKE = "unlike any class"

# If the highest score is below the first, the image is unlike any class. The margin of a sure
# prediction is at least the second, or the third on a photograph with a flaw, or the last if a row
# crosses many strokes. They were chosen on validation images (2 % of which are doubted) and on
# photographs; `docs/page.md` has the curve.
LEAST_LIKE, LEAST_MARGIN, FLAW_MARGIN, CROSSED_MARGIN = 0.3, 0.15, 0.95, 0.98
# Strokes have at least the first fraction of the strongest ink. A row of a digit crosses fewer
# strokes than the second number on average: 97 % of MNIST's validation images do.
_STROKE, _CROSSINGS = 0.4, 1.75


def verdict(scores: ArrayLike, least_margin: float = LEAST_MARGIN) -> str | None:
    """Return None for a sure prediction, otherwise `UNSURE` or `UNLIKE`.

    Args:
        scores: (classes,) scores of one image in [0, 1], as `Network.scores` returns them.
        least_margin: Margin of a sure prediction; see `least_margin_of`.
    """
    second, first = np.sort(np.asarray(scores))[-2:]
    if first < LEAST_LIKE:
        return UNLIKE
    return UNSURE if first - second < least_margin else None


def least_margin_of(image: NDArray, *, has_flaw: bool) -> float:
    """The margin that a sure prediction of an object on a photograph has.

    The average number of strokes that a row crosses tells two digits that touch, and many drawings
    that are no digits, from digits: the crossing count of optical character recognition (Trier,
    Jain and Taxt 1996, "Feature extraction methods for character recognition", §4).

    Args:
        image: (height, width) input of the network, which is not blank.
        has_flaw: Whether the background of the photograph was not plain, or something on it was
            left out.
    """
    strokes = image > _STROKE * image.max()
    starts = np.diff(strokes, axis=1, prepend=False) & strokes
    if starts.sum() > _CROSSINGS * strokes.any(axis=1).sum():
        return CROSSED_MARGIN
    return FLAW_MARGIN if has_flaw else LEAST_MARGIN
