"""The rule that says when a prediction is not to be relied on.

    verdict(network.scores(image[None])[0])  # None, "not sure" or "unlike any class"

It reads the scores of the classes and not the probabilities, which are the scores divided by their
sum: a network with sigmoid outputs can give every class a score near 0, and one of them is then
still the most probable.

The thresholds were chosen on MNIST's validation images. With them, the default network doubts 2.2 %
of the images that it classifies correctly and 74 % of those that it does not; the ladder's variant
`fast`, with softmax outputs, 0.4 % and 43 %.
"""

import numpy as np
from numpy.typing import ArrayLike

UNSURE = "not sure"
UNLIKE = "unlike any class"

# Greatest score below which the image looks like none of the classes, and below which it is unsure.
LEAST_LIKE, LEAST_SURE = 0.3, 0.7
# Greatest second score of a sure prediction, as a fraction of the first.
MOST_SECOND = 0.5


def verdict(scores: ArrayLike) -> str | None:
    """Return None for a sure prediction, otherwise `UNSURE` or `UNLIKE`.

    Args:
        scores: (classes,) scores of one image, as `Network.scores` gives them, in [0, 1]; two or
            more.
    """
    second, first = np.sort(np.asarray(scores))[-2:]
    if first < LEAST_LIKE:
        return UNLIKE
    return UNSURE if first < LEAST_SURE or second > MOST_SECOND * first else None
