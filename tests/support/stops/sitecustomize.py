"""Python runs this first: in the stage `STOPS`, an artifact is never moved into place.

So the test can interrupt it there, however fast the machine is.
"""

import os
import sys
import time

if os.environ["STOPS"] in sys.orig_argv:

    def never(*arguments, **options):
        time.sleep(600)

    os.replace = never
