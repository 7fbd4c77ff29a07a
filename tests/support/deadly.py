"""A value that ends the process that uses it: what a search does to a worker without memory."""

import os
import signal


class Deadly(float):
    """A number that kills every process but this one when it is compared, as `Recipe` does."""

    def __new__(cls, value, home=None):
        number = super().__new__(cls, value)
        number.home = home or os.getpid()
        return number

    def __reduce__(self):
        return Deadly, (float(self), self.home)

    def __gt__(self, other):
        if os.getpid() != self.home:
            os.kill(os.getpid(), signal.SIGKILL)
        return float(self) > other
