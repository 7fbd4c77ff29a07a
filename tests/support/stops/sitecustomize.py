"""Python runs this first: the moment before a stage's artifacts are moved into place is drawn out.

Else a fast machine, or a busy one, is done with it before a test can interrupt it there.
"""

import os
import sys
import time

if {"stages.fetch", "stages.preprocess", "stages.evaluate"} & set(sys.orig_argv):
    replace = os.replace

    def slowly(*arguments, **options):
        time.sleep(0.3)
        replace(*arguments, **options)

    os.replace = slowly
