import numpy as np
import pytest

from seq2seq.engine.clipping import Clip
from seq2seq.mx import mx


@pytest.mark.parametrize("longest, length", [(1.0, 1.0), (10.0, 5.0)])
def test_a_gradient_is_cut_to_the_greatest_length_and_keeps_its_direction(longest, length):
    sections = [mx.nd.array([6.0]), mx.nd.array([0.0, 8.0])]  # of length 10, scaled by a half: 5
    Clip(sections, longest)(0.5)
    found = np.concatenate([section.asnumpy() for section in sections])
    np.testing.assert_allclose(found, np.array([0.6, 0, 0.8]) * length, rtol=1e-6)
