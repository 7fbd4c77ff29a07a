"""The rule that decides whether a prediction is reliable.

    verdict(network.scores(image[None])[0])  # None, "not sure" or "unlike any class"

It uses the scores of the classes. Probabilities are scores divided by their sum, so a class can
have a high probability although the scores of all classes are near 0. The margin between the two
highest scores was better on MNIST's validation images than the highest score or their ratio.
"""

import numpy as np
from numpy.typing import ArrayLike

UNSURE = "not sure"
UNLIKE = "unlike any class"

# If the highest score is below the first, the image is unlike any class. The margin of a sure
# prediction is at least the second, or the third if there is evidence against it. The margins were
# chosen on validation images (2 % of which are doubted) and on photographs with flaws;
# `docs/page.md` has the curve.
LEAST_LIKE, LEAST_MARGIN, STRICT_MARGIN = 0.3, 0.15, 0.95


def verdict(scores: ArrayLike, *, is_suspect: bool = False) -> str | None:
    """Return None for a sure prediction, otherwise `UNSURE` or `UNLIKE`.

    Args:
        scores: (classes,) scores of one image in [0, 1], as `Network.scores` returns them.
        is_suspect: Whether there is other evidence against the prediction; see `Digit`.
    """
    second, first = np.sort(np.asarray(scores))[-2:]
    if first < LEAST_LIKE:
        return UNLIKE
    return UNSURE if first - second < (STRICT_MARGIN if is_suspect else LEAST_MARGIN) else None
