"""Marks of tests that need what not every machine has."""

import pytest

from nn import operations
from nn.arithmetic import operations_for

numba = pytest.mark.skipif(
    operations_for("exact") is operations, reason="there is no Numba for this machine"
)
