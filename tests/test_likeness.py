import pytest

from seq2seq import Addition, Arithmetic, PairsTask, Reverse
from seq2seq.config import PRESETS, DataConfig, ModelConfig
from seq2seq.likeness import Likeness
from seq2seq.models import make_codec


def likeness(task, model, *extra):
    return Likeness([task, *extra], make_codec(task, DataConfig(), ModelConfig(model=model)))


def test_what_is_trained_on_beside_the_task_is_like_training():
    sums = Arithmetic("+", terms=2, operands=(1, 100), steps="call")
    like = likeness(Arithmetic(steps="call"), "attention", sums)
    assert [like.unlike(source) for source in ("3*7+2", "99+100", "21*1", "8*49", "200")] == [
        None, None, "has 2 terms; trained on 3", None, None,
    ]  # fmt: skip
    assert like.unlike("2*7+8+3", ["2*7+8", "14+8+3"]) == "has 4 terms; trained on 3"
    assert like.unlike("11*3+2", ["11*3+2", "33+2"]) == "has the number 11; trained on 1 to 10"
    assert like.unlike("99+1+1") == "has the number 99; trained on 1 to 10"


def test_the_default_run_is_trained_on_numbers_alone():
    default = PRESETS["default"]
    like = likeness(default.task, "attention", *(extra.task for extra in default.extra))
    assert [like.unlike(number) for number in ("7", "6589", "999999")] == [None] * 3
    assert like.unlike("1000000") == "has 1 term; trained on 3"


def test_the_reason_is_that_of_the_task_with_sources_as_long():
    products = Arithmetic("*", terms=(4, 9), steps="call")  # does not read sums
    like = likeness(Arithmetic(steps="call"), "attention", products, Arithmetic(terms=(4, 6), steps="call"))
    assert [like.unlike("+".join("1" * terms)) for terms in (3, 4, 6, 7)] == [
        None, None, None, "has 7 terms; trained on 4 to 6",
    ]  # fmt: skip
    assert like.unlike("11+1+1") == "has the number 11; trained on 1 to 10"


@pytest.mark.parametrize(
    "task, model, longer, is_like",
    [
        (Reverse("ab", (1, 3)), "attention", "abab", True),
        (Reverse("ab", (1, 3)), "transducer", "abab", True),
        (Addition(2), "aligned", "123+4", True),
        (Addition(2), "attention", "123+4", False),
        (Addition(2), "transducer", "123+4", False),
        (PairsTask.of([("ab", "ba"), ("ba", "ab")]), "transducer", "aba", False),
        (Arithmetic("+", terms=2), "aligned", "11+1", False),
    ],
)
def test_what_is_longer_is_like_training_where_the_model_has_a_rule_for_it(task, model, longer, is_like):
    assert (likeness(task, model).unlike(longer) is None) == is_like


def test_any_number_of_terms_is_where_each_step_is_like_those_trained_on():
    like = likeness(Arithmetic("+-", operands=(0, 3), steps="call"), "transducer")
    assert like.unlike("1+1-1+1", ["1+1", "2-1", "1+1", "2"]) is None
    assert like.unlike("3+3+3+3", ["3+3", "6+3", "9+3", "12"]) == "leads to '9+3', which has 2 terms; trained on 3"
    assert like.unlike("1+1-1+1") == "has 4 terms; trained on 3"
    assert like.unlike("4+1-1+1", ["4+1", "5-1", "4+1", "5"]) is None  # 4+1 is what 3+1+1 leaves
    assert like.unlike("1+4-1+1", ["1+4", "5-1", "4+1", "5"]) == "leads to '1+4', which has 2 terms; trained on 3"
