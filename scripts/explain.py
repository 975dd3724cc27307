#!/usr/bin/env python3
"""Show how a run comes to its answer."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # so that it runs from a checkout

from seq2seq.cli.explain import main
from seq2seq.cli.program import run

if __name__ == "__main__":
    run(main)
