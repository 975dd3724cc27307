import pytest

from seq2seq import Addition, Arithmetic, ModelConfig, UsageError
from seq2seq.config import DataConfig
from seq2seq.models import AlignedModel, AttentionModel, RepeatModel, TransducerModel, make_codec, model_class


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


def test_steps_in_place_are_not_turned_round():
    task, data = Arithmetic(steps="call"), DataConfig(reverse_target=True)
    assert make_codec(task, data, ModelConfig(model="attention")).reverse_target
    with pytest.raises(UsageError, match="reverse_target: got True, but it must be false where a transducer"):
        make_codec(task, data, ModelConfig(model="transducer"))
