#!/usr/bin/env python3
"""Score a run on held-out examples, and beside them on examples it was trained on."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # so that it runs from a checkout

from seq2seq.cli.evaluate import main
from seq2seq.cli.program import run

if __name__ == "__main__":
    run(main)
