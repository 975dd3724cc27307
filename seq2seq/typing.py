"""Types that annotations name."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]  # of NumPy, of any shape and dtype: docstrings say which
