import numpy as np

from seq2seq.decoding import Answers, StepwisePredictor


class Halving:
    """Answers numbers that are written in one place of a row with half of them, rounded down, in another place."""

    class model:
        pad = 0

    def __init__(self):
        self.asked = []

    def answer(self, sources, targets=None):
        self.asked.append(len(sources))
        ids = np.zeros_like(sources)
        ids[:, 0] = np.maximum(1, sources[:, -1] // 2)
        return Answers(ids, np.full(len(sources), 0.5), None)


def test_it_asks_again_until_nothing_changes():
    predictor = Halving()
    sources = np.array([[0, 0, 0, 0, 9], [0, 0, 0, 0, 1], [0, 0, 0, 0, 2]])
    answers = StepwisePredictor(predictor).answer(sources)
    assert answers.ids.tolist() == [[0, 0, 0, 0, 1]] * 3
    assert answers.confidence.tolist() == [0.5**4, 0.5**1, 0.5**2]  # 9, 4, 2, 1 and the 1 that stays
    assert predictor.asked == [3, 2, 1, 1]


def test_the_working_is_every_step():
    steps = StepwisePredictor(Halving()).work(np.array([[0, 0, 0, 0, 9]]))
    assert [step[0, -1] for step in steps] == [4, 2, 1, 1]


def test_what_never_settles_ends():
    class Restless(Halving):
        def answer(self, sources, targets=None):
            self.asked.append(len(sources))
            return Answers(sources % 2 + 1, np.ones(len(sources)), None)

    predictor = Restless()
    StepwisePredictor(predictor).answer(np.ones((2, 6), int))
    assert predictor.asked == [2] * 6
