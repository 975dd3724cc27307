"""Memory does not grow with the alphabet times the batch times the length."""

import subprocess
import sys

import pytest

SCRIPT = """
import random, resource, sys
from seq2seq import train

random.seed(0)
characters = [chr(0x4E00 + number) for number in range(5500)]
pairs = {}
while len(pairs) < 1500:
    sentence = "".join(random.choices(characters, k=random.randint(20, 40)))
    pairs[sentence] = sentence[::-1]
model, folder = sys.argv[1:]
solver = train(pairs, folder, model=model, epochs=1, hidden_size=32, progress=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
solver([*pairs][:1024])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.parametrize("model", ["attention", "repeat", "transducer"])
def test_5500_characters_are_learned_and_1024_sentences_answered_in_less_than_1500_mb(tmp_path, model):
    command = [sys.executable, "-c", SCRIPT, model, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    trained, answered = (int(line) * 1024 for line in done.stdout.split())
    assert trained < 1.5e9 and answered < 1.5e9
