"""Types for annotations."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]  # a NumPy array; docstrings say the shape and dtype
