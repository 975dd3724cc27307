import json

import numpy as np
import pytest

from seq2seq import Addition, Arithmetic, Seq2SeqError, UsageError, train
from seq2seq.config import PRESETS, Config, Extra
from seq2seq.recipes import FOLDER, Trial, _unseen, find_recipe, load_recipe, recipe_names, score_trials
from seq2seq.tasks import FileTask

RECIPE = """
about = "sums"
excludes = "their own"
task = {name = "addition", digits = [1, 2]}
data = {split = "commutative", examples = 500}
model = {model = "aligned", hidden_size = 8, layers = 1}
training = {epochs = 2, show_every = 0}

[[extra]]
examples = 50
task = {digits = [1, 1]}

[[trial]]
name = "three digits"
examples = 20
task = {digits = [3, 3]}
"""


OTHER = "{name = 'arithmetic', terms = 2, operators = '+'}"


def write(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text)
    return tmp_path / "mine.toml"


def test_a_recipe_is_a_complete_experiment(tmp_path):
    recipe = load_recipe(write(tmp_path, RECIPE))
    assert (recipe.name, recipe.about, recipe.excludes) == ("mine", "sums", "their own")
    assert recipe.config == Config(task=Addition((1, 2)), extra=(Extra(Addition((1, 1)), 50),)).with_options(
        split="commutative", examples=500, model="aligned", hidden_size=8, layers=1, epochs=2, show_every=0
    )
    assert recipe.trials == (Trial("three digits", Addition((3, 3)), 20),)


def test_every_recipe_of_the_project_can_be_opened_again_from_its_run_folder():
    for path in FOLDER.glob("*.toml"):
        config = load_recipe(path).config
        if not isinstance(config.task, FileTask):
            assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config, path.name


def test_what_is_absent_keeps_its_default(tmp_path):
    assert load_recipe(write(tmp_path, "")).config == Config(task=Arithmetic())


def test_trials_are_scored_on_what_was_not_trained_on(tmp_path):
    trials = [("some", 30, "{digits = [1, 2]}"), ("all", 100, "{digits = [1, 1]}"), ("other", 9, OTHER)]
    more = "".join(f'[[trial]]\nname = "{name}"\nexamples = {n}\ntask = {task}\n' for name, n, task in trials)
    recipe = load_recipe(write(tmp_path, RECIPE + more))
    solver = train(preset=recipe.config, run_dir=tmp_path / "run", progress=False)
    scores = dict(score_trials(recipe, solver))
    assert list(scores) == ["three digits", "some", "all", "other"]
    assert scores["some"].examples == 30 and scores["all"].examples < 60 and scores["other"].examples == 9
    some = _unseen(recipe.trials[1], solver, np.random.default_rng((0, 3)))
    assert not solver.dataset.trained_on(solver.task, np.array([source for source, _ in some])).any()
    pairs = recipe.trials[0].task.sample(20, np.random.default_rng((0, 3)))
    answers = solver([source.strip() for source in pairs.sources.tolist()])
    right = [answer == target.strip() for answer, target in zip(answers, pairs.targets.tolist())]
    assert scores["three digits"].exact_match == sum(right) / 20


@pytest.mark.parametrize(
    "text, message",
    [
        ("a = ", "is not TOML"),
        ("colour = 1", "recipe: has 'colour', but can have only about, excludes, task"),
        ("[model]\nhidden = 3", "model: has 'hidden', but can have only model, cell, hidden_size"),
        ("[model]\nhidden_size = 0", "hidden_size: got 0, but it must be a whole number from 1"),
        ("[task]\nname = 'sums'", "task.name: got 'sums', but it must be one of"),
        ("[task]\nterm = 3", "task: has 'term', but can have only operators, terms"),
        ("task = 3", "task: got 3, but it must be a table"),
        ("extra = 3", "extra: got 3, but it must be tables"),
        ("[[trial]]\nexamples = 0", "trial.examples: got 0"),
        ("[model]\nmodel = 'repeat'\nposition_bias = true", "position_bias: got True, .* the model repeat"),
        ("[training]\ncycles = 2", "cycles: got 2, .* it is an option of restarts"),
        (f"[training]\nepochs = {'9' * 5000}", "is not TOML: "),
        (f"[model]\n{'x' * 10**5} = 3", r"model: has 'x{37}\.\.\.', but can have only"),
    ],
)
def test_recipes_that_are_refused_name_the_file(tmp_path, text, message):
    with pytest.raises(UsageError, match=rf"mine\.toml: .*{message}"):
        load_recipe(write(tmp_path, text))


def test_a_recipe_that_is_not_there(tmp_path):
    with pytest.raises(Seq2SeqError, match=r"nowhere\.toml: cannot be read: No such file"):
        load_recipe(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", recipe_names())
def test_the_recipes_of_the_project_are_in_order(name):
    recipe = load_recipe(find_recipe(name))
    assert recipe.about and recipe.excludes


def test_recipes_are_found_by_their_names():
    assert {"addition-3", "text/07-gru"} <= set(recipe_names()) and "results" not in recipe_names()
    assert find_recipe("text/07-gru") == FOLDER / "text" / "07-gru.toml"
    with pytest.raises(UsageError, match=r"got 'addition', but it must be a path to a \.toml file, or one of add"):
        find_recipe("addition")


def test_a_file_is_looked_for_beside_the_recipe_and_then_where_the_user_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_recipe(find_recipe("cipher")).config.task.file == str(FOLDER / "cipher.tsv")
    (tmp_path / "deep").mkdir()
    (tmp_path / "pairs.tsv").write_text("a\tb\n")
    recipe = write(tmp_path / "deep", 'task = {name = "pairs", path = "pairs.tsv"}')
    assert load_recipe(recipe).config.task.file == "pairs.tsv"
    (tmp_path / "deep" / "pairs.tsv").write_text("c\td\n")
    assert [*load_recipe(recipe).config.task.pairs()] == [("c", "d")]
    assert load_recipe("deep/mine.toml").config.task.file == "deep/pairs.tsv"


def test_the_default_recipe_is_the_default():
    assert load_recipe(FOLDER / "default.toml").config == PRESETS["default"]
