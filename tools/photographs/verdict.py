"""The rule that decides whether a prediction is reliable.

    verdict(network.scores(image[None])[0])  # None, "not sure" or "unlike any class"

It uses the scores of the classes. Probabilities are scores divided by their sum, so a class can
have a high probability although the scores of all classes are near 0.

The thresholds were chosen on MNIST's validation images. With them, the rule rejects 2.2 % of the
default network's correct predictions and 74 % of its wrong ones; `docs/page.md` has more.
"""

import numpy as np
from numpy.typing import ArrayLike

UNSURE = "not sure"
UNLIKE = "unlike any class"

# If the highest score is below the first, the image is unlike any class; below the second, unsure.
LEAST_LIKE, LEAST_SURE = 0.3, 0.7
# In a sure prediction, the second-highest score is at most this fraction of the highest.
MOST_SECOND = 0.5


def verdict(scores: ArrayLike) -> str | None:
    """Return None for a sure prediction, otherwise `UNSURE` or `UNLIKE`.

    Args:
        scores: (classes,) scores of one image in [0, 1], as `Network.scores` returns them.
    """
    second, first = np.sort(np.asarray(scores))[-2:]
    if first < LEAST_LIKE:
        return UNLIKE
    return UNSURE if first < LEAST_SURE or second > MOST_SECOND * first else None
