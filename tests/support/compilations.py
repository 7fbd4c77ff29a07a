"""Compile some operations, or load them from the cache, and check what they compute.

Run as a script in a process of its own. Arguments: pairs such as exact:average. If LONGEST_FILE is
set, writing more bytes to a file is an error, as if the disk were full.
"""

import copy
import os
import resource
import sys
import threading

import numpy as np
from definitions import definition
from operation_cases import CASES
from operation_source import TYPES, Source

from nn.arithmetic import operations_for

# Each is compiled in a moment, and exact in every arithmetic.
NAMES = ("average", "equal", "times_sigmoid_derivative", "largest")
PAIRS = [f"{arithmetic}:{name}" for name in NAMES for arithmetic in TYPES]


def is_right(pair):
    """Whether an operation does what its definition does."""
    arithmetic, name = pair.split(":")
    arguments = CASES[name](Source(0, arithmetic, TYPES[arithmetic][0]))
    again = copy.deepcopy(arguments)
    found = getattr(operations_for(arithmetic), name)(*arguments)
    expected = definition(name)(*again)
    return found == expected and all(map(np.array_equal, arguments, again))


if __name__ == "__main__":
    if "LONGEST_FILE" in os.environ:
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["LONGEST_FILE"]),) * 2)
    pairs, results = sys.argv[1:], []
    # Two threads for each, so that they meet.
    threads = [
        threading.Thread(target=lambda: results.append([is_right(pair) for pair in pairs]))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[True] * len(pairs)] * 2, results
    print("right", __import__("nn").__file__)
