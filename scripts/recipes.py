#!/usr/bin/env python3
"""Run every recipe over several seeds, and write the table of results."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))  # so that it runs from a checkout

from seq2seq.cli.program import run
from seq2seq.cli.recipes import main

if __name__ == "__main__":
    run(main)
