import json
import re

import numpy as np
import pytest

from seq2seq import Addition, Arithmetic, Config, Copy, Solver, Text, UsageError, train
from seq2seq.experiment import configured
from seq2seq.models import MODELS, AutoregressiveModel, ByHandModel, make_codec, make_model
from seq2seq.mx import mx
from seq2seq.options import (
    MODEL_OPTIONS,
    RATING_MODELS,
    SHUFFLED,
    SOME_MODELS,
    STRING_MODELS,
    TEXT_MODELS,
    fitted,
    lacking,
    model_name,
)
from seq2seq.runs import Run
from seq2seq.tasks.ratings import Ratings
from seq2seq.workers import argument_shapes
from tests.conftest import some_text
from tests.models.symbols import loss_of

OTHER = {
    "cell": "rnn", "hidden_size": 5, "layers": 3, "dropout": 0.5, "bidirectional": False, "position_bias": True,
    "embedding": 6, "activation": "relu", "identity": True, "reverse_target": True, "label_smoothing": 0.1,
    "penalty": 0.5, "beam": 3, "normalise": "batch", "examples_per_epoch": 7,
}  # fmt: skip
WITH = {"normalise": {"embedding": 6}}  # what an option needs
TEXT = Text(given=some_text(60))
RATINGS = Ratings(given=[("user", "item", "rating"), ("a", "x", 1), ("b", "y", 2), ("c", "x", 3)])


def config_of(model, **options):
    tasks = {"aligned": Addition(2), **dict.fromkeys(TEXT_MODELS, TEXT), **dict.fromkeys(RATING_MODELS, RATINGS)}
    task = tasks.get(model, Copy("abc"))
    return Config(task=task).with_options(**{"model": model, "hidden_size": 4, **options})


def network(config):
    """What an option of a model can change: how it has strings, its graph, its first weights, and its search."""
    codec = make_codec(config.task, config.data, config.model)
    model = make_model(config.task, config.model, codec)
    if isinstance(model, ByHandModel):
        model.by_hand(0)  # which refuses some
    with mx.name.NameManager():
        graph = loss_of(model)
    shapes = argument_shapes(graph, source=(model.source_length, 1), target=(model.target_length, 1))
    weights = {name: np.zeros(shape) for name, shape in shapes.items()}
    model.init_weights(weights)
    written = re.sub("foreach[0-9]+", "foreach", graph.tojson())  # which MXNet numbers
    beam = config.model.beam if isinstance(model, AutoregressiveModel) else 1
    return codec, written, {name: array.tolist() for name, array in weights.items()}, beam


@pytest.mark.parametrize("model", STRING_MODELS)
def test_a_model_has_the_options_that_change_it_and_no_others(model):
    assert set(OTHER) == SOME_MODELS
    for option, value in OTHER.items():
        if option in SHUFFLED:  # it changes the batches
            continue
        try:
            with_it = network(config_of(model, **WITH.get(option, {}), **{option: value}))
            changed = with_it != network(config_of(model, **WITH.get(option, {})))
        except UsageError:
            changed = False
        assert changed == (option in MODEL_OPTIONS[model]), option


@pytest.mark.parametrize("model", MODELS)
def test_an_option_that_a_model_does_not_have_is_refused_by_name(model):
    config = config_of(model)
    for option in sorted(SOME_MODELS.difference(MODEL_OPTIONS[model])):
        value = {**OTHER, "bidirectional": True, "reverse_target": model != "aligned"}[option]
        with pytest.raises(UsageError, match=f"^{option}: got {value!r}, .* left out with the model {model}, whose"):
            fitted(config, {option: value})


def test_what_a_model_is_anyway_may_be_said():
    given = {"layers": 1, "dropout": 0.0, "bidirectional": False, "embedding": 0, "reverse_target": False}
    assert fitted(config_of("rnn"), given).model.model == "rnn"
    assert fitted(config_of("aligned"), {"reverse_target": True}).data.reverse_target is False


@pytest.mark.parametrize(
    "given, chosen, reason",
    [
        ({"momentum": 0.5}, {}, "with the optimizer adam: it is an option of sgd"),
        ({"epsilon": 1e-4}, {"optimizer": "sgd"}, "with the optimizer sgd: it is an option of adam"),
        ({"cycles": 2}, {}, "with the schedule cosine: it is an option of restarts"),
        ({"cycles": 2}, {"schedule": "constant"}, "with the schedule constant: it is an option of restarts"),
    ],
)
def test_an_option_of_another_optimizer_or_schedule_is_refused(given, chosen, reason):
    config = Config().with_options(**chosen, **given)
    with pytest.raises(UsageError, match=f"^{next(iter(given))}: got .*{reason}"):
        fitted(config, {**chosen, **given})
    assert fitted(config, chosen) == Config().with_options(**chosen)  # as a preset's, it falls away


def test_what_falls_away_is_not_written():
    config = config_of("rnn", layers=5, dropout=0.1, embedding=3)
    written = config.to_json()
    assert set(written["model"]) == {"model", *MODEL_OPTIONS["rnn"]}.difference(SHUFFLED)
    assert "reverse_target" not in written["data"]
    assert not {"momentum", "cycles"} & set(written["training"]) and written["training"]["epsilon"] == 1e-8
    assert set(written["training"]).isdisjoint(lacking(config))


def test_auto_is_the_model_that_a_task_gets():
    tasks = [Copy(), Arithmetic(steps="call"), Arithmetic(steps="call", by_digit=True), TEXT]
    assert [model_name(task, "auto") for task in tasks] == ["repeat", "transducer", "attention", "gru"]
    assert model_name(TEXT, "rnn") == "rnn"


@pytest.mark.parametrize("model", ["transducer", "repeat"])
def test_another_model_leaves_behind_what_its_preset_has_for_attention(model, tmp_path):
    """Of the preset, nobody gave the position bias, nor that targets are reversed."""
    task = Arithmetic("+", terms=2, operands=(0, 9), steps="call")
    options = {"model": model, "epochs": 1, "hidden_size": 4, "show_every": 0}
    solver = train(task, tmp_path / "run", progress=False, **options)
    assert not solver.config.model.position_bias
    assert solver.config.data.reverse_target == (model == "repeat")
    again = train(task, tmp_path / "run", preset="default", resume=True, progress=False, **options)
    assert again.config == solver.config


def test_a_configuration_that_was_given_is_checked_too(tmp_path):
    with pytest.raises(UsageError, match=r"^layers: got 5, .* must be left out with the model rnn"):
        train(TEXT, tmp_path / "run", preset=config_of("rnn", layers=5), progress=False)
    assert not (tmp_path / "run").exists()


def test_a_run_that_was_made_with_what_its_model_does_not_have_opens_and_goes_on(tmp_path):
    options = {"model": "rnn", "epochs": 1, "hidden_size": 4, "show_every": 0}
    run = train(TEXT, tmp_path / "run", progress=False, **options).run
    values = json.loads((run.path / "config.json").read_text())
    values["model"].update(layers=5, cell="rnn", position_bias=True, bidirectional=True)
    values["training"].update(momentum=0.5, cycles=2)
    (run.path / "config.json").write_text(json.dumps(values))

    assert len(Solver(run.path)("the cat ")) == 1 and Solver(run.path).evaluate().held_out.n
    given = {**options, "layers": 5, "cell": "rnn"}
    with pytest.raises(UsageError, match=r"^layers: .* was made with 5; a resumed run keeps its options"):
        train(TEXT, run.path, resume=True, progress=False, **{**given, "layers": 4})
    train(TEXT, run.path, resume=True, progress=False, **{**given, "epochs": 2})
    assert len(Run(run.path).read_metrics()) == 2


def test_the_examples_of_an_epoch_are_chosen_for_the_presets_own_task():
    assert configured(None, None, {}).training.examples_per_epoch == 4000
    other = configured(Arithmetic(terms=2), None, {})
    assert other.training.examples_per_epoch is None and not other.extra
    assert configured(Arithmetic(terms=2), None, {"examples_per_epoch": 7}).training.examples_per_epoch == 7
