#!/usr/bin/env python3
"""The command `seq2seq search`, from a checkout that is not installed."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from seq2seq.cli.main import script

if __name__ == "__main__":
    script("search")
