"""What the name of an array, a file or a folder says: its part of a data set, images or labels.

Names are cut into words, of which any order and spelling in use is understood: `x_train`, `trainX`,
`train-images-idx3-ubyte.gz`, `kmnist-test-labels.npz`, `emnist-letters-test-images-idx3-ubyte`,
`dataset.train.labels`, `trainingSet`. The words that say neither are the name of the data set.
"""

import re
from typing import NamedTuple

_PARTS = {
    "train": ("train", "training", "trn"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "t10k", "tst"),
}
# The first word is preferred, if several arrays of a file may be the images or the labels.
_WHAT = {
    "images": ("images", "image", "imgs", "img", "x", "pixels", "data", "patterns", "features"),
    "labels": ("labels", "label", "lbls", "y", "targets", "target", "class"),
}
_FORMAT = re.compile(
    r"idx\d?|ubyte|int|float|double|arr|\d+k?|of|set|gz|bz2|xz|np[yz]|mat|h5|csv|tsv|txt|parquet"
)
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def _any_of(words: dict[str, tuple[str, ...]]) -> str:
    return "|".join(sorted((word for some in words.values() for word in some), key=len)[::-1])


# xtrain and trainlabels are two words without anything between.
_PAIR = re.compile(rf"({_any_of(_WHAT)})?({_any_of(_PARTS)})?({_any_of(_WHAT)})?")


class Name(NamedTuple):
    """The meaning of a name.

    Attributes:
        title: The other words, which name the data set; often empty.
        part: train, validation or test; empty if the name says none.
        what: images or labels; empty if the name says neither.
        rank: 0 for the most usual word for images or labels, more for the others.
    """

    title: str
    part: str
    what: str
    rank: int


def parse(name: str) -> Name:
    """The meaning of the name of an array, a file or a folder."""
    title, part, what, rank = [], "", "", 0
    for word in _WORD.findall(name):
        word = word.lower()
        match = _PAIR.fullmatch(word)
        if match is None:
            if not _FORMAT.fullmatch(word):
                title.append(word)
            continue
        found = {key: (group, words) for group in match.groups() if group
                 for key, words in (_PARTS | _WHAT).items() if group in words}  # fmt: skip
        for key, (group, words) in found.items():
            if key in _PARTS:
                part = key
            else:
                better = not what or words.index(group) < rank  # csvTrainLabel 60k x 1.csv
                what, rank = (key, words.index(group)) if better else (what, rank)
    return Name("-".join(title), part, what, rank)
