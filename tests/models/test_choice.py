import pytest

from seq2seq import Addition, Arithmetic, ModelConfig
from seq2seq.models import AlignedModel, AttentionModel, RepeatModel, TransducerModel, model_class


@pytest.mark.parametrize(
    "task, model",
    [
        (Arithmetic(), RepeatModel),
        (Addition(), RepeatModel),
        (Arithmetic(steps="answer"), RepeatModel),
        (Arithmetic(steps="call"), TransducerModel),
        (Arithmetic(steps="call", by_digit=True), AttentionModel),
    ],
)
def test_the_model_that_fits_a_task(task, model):
    assert model_class(task, ModelConfig()) is model
    assert model_class(task, ModelConfig(model="aligned")) is AlignedModel
