"""The model card: its head is YAML that the Hub reads, and its text says what was held out."""

import json
import re

import pytest
import yaml

from seq2seq import RunError, Solver, UsageError, pack
from seq2seq.card import model_card
from seq2seq.config import Config
from seq2seq.recipes import load_recipe
from seq2seq.tasks import Arithmetic
from tests.test_packing import members
from tests.test_scripts import call

HELD_OUT = {"n": 50, "exact_match": 0.98, "character_accuracy": 0.99, "overlap": 0.0, "symbols right": 0.5}
SEEN = {"n": 80, "exact_match": 1.0, "character_accuracy": 1.0, "symbols right": 0.75}
MISTAKE = {"source": "3+4", "target": "7", "answer": "8", "confidence": 0.5}
EVALUATION = {"held_out": HELD_OUT, "train_distribution": SEEN, "by_length": {}, "mistakes": [MISTAKE]}
EPOCHS = [{"epoch": 1, "seconds": 1.2}, {"epoch": 2, "seconds": 61.7}]

LICENCE = "a name such as mit or cc-by-4.0, in small letters"


def card(name="sums", config=None, evaluation=EVALUATION, epochs=EPOCHS, example="3+4", license=None):
    return model_card(name, config or Config(Arithmetic("+")), evaluation, epochs, example, license)


def head(text):
    """The head of a card, as values."""
    start, yaml_text, _ = text.split("---\n", 2)
    assert start == ""
    return yaml.safe_load(yaml_text)


def test_the_head_is_that_of_the_hub():
    assert head(card(license="cc-by-4.0")) == {
        "library_name": "seq2seq",
        "license": "cc-by-4.0",
        "tags": ["seq2seq", "mxnet", "arithmetic"],
        "model-index": [
            {
                "name": "sums",
                "results": [
                    {
                        "task": {"type": "text2text-generation"},
                        "dataset": {"type": "arithmetic", "name": "arithmetic, held out"},
                        "metrics": [
                            {"type": "exact_match", "value": 0.98},
                            {"type": "character_accuracy", "value": 0.99},
                            {"type": "symbols right", "value": 0.5},
                        ],
                    }
                ],
            }
        ],
    }
    assert head(card())["license"] == "unknown"


@pytest.mark.parametrize(
    "name", ["a: b", "- a", "#a", '"', "'", "\\", "é", "𝔘", "\n", "a\t", "\udcff", "null", "1.0", "{"]
)
def test_any_name_of_a_folder_is_a_string_in_the_head(name):
    assert head(card(name))["model-index"][0]["name"] == name


@pytest.mark.parametrize("license", ["", "MIT", "a b", "mit\n", "a: b", 1, "é"])
def test_a_licence_has_a_name_of_the_hub(license):
    with pytest.raises(UsageError, match=r"license: got .*, but it must be a name such as mit or cc-by-4.0"):
        card(license=license)


def test_the_text_says_what_was_held_out_and_how_it_was_answered():
    text = card()
    assert "- training: 2 epochs in 62 s, with the seed 0\n" in text
    assert "No held-out example has its `expression` in common with a training example.\n" in text
    assert "| held out | 50 | 0.9800 | 0.9900 | 0.5000 |\n| trained on | 80 | 1.0000 | 1.0000 | 0.7500 |\n" in text
    assert "0.0% of the held-out examples had been trained on.\n" in text
    assert "```text\n3+4 -> 7, answered '8' (50%)\n```\n" in text
    assert "print(Solver('sums')('3+4'))" in text and "seq2seq solve --run sums -- 3+4\n" in text


def test_without_an_evaluation_it_says_so():
    text = card(evaluation=None, epochs=[])
    assert "It was not scored.\n" in text and "model-index" not in head(text) and "- training" not in text
    assert "worst mistakes" not in card(evaluation={**EVALUATION, "mistakes": []})


def test_its_recipe_trains_the_same_again(tmp_path):
    config = Config(Arithmetic("+", terms=2)).with_options(hidden_size=24, epochs=7)
    [recipe] = re.findall(r"```toml\n(.*?)```", card(config=config), re.S)
    (tmp_path / "recipe.toml").write_text(recipe)
    assert load_recipe(tmp_path / "recipe.toml").config == config


@pytest.mark.parametrize("source", ["```", "a\nb", "````\n# x", "~~~", "</pre>", "\x85"])
def test_no_mistake_ends_its_block(source):
    text = card(evaluation={**EVALUATION, "mistakes": [{**MISTAKE, "source": source}]}, example=source)
    lines = text.splitlines()
    fences = [line for line in lines if re.fullmatch("`{3,}[a-z]*", line)]
    assert [bool(re.search("[a-z]", fence)) for fence in fences] == [True, False] * 4  # each is opened and closed
    assert not [line for line in lines if line.startswith("# x")]


@pytest.mark.parametrize(
    "evaluation", [{}, {"held_out": 1}, {**EVALUATION, "mistakes": 3}, {**EVALUATION, "mistakes": [{}]},
                   {**EVALUATION, "held_out": {**HELD_OUT, "exact_match": "all"}}, {**EVALUATION, "held_out": {"n": 3}},
                   {**EVALUATION, "train_distribution": {"n": 3}},
                   {**EVALUATION, "held_out": {**HELD_OUT, "overlap": "no"}}],
)  # fmt: skip
def test_a_damaged_evaluation_is_one_line(evaluation):
    try:
        assert head(card(evaluation=evaluation))
    except RunError as error:
        assert str(error).startswith("sums: its evaluation is damaged: ") and "\n" not in str(error)


@pytest.mark.parametrize(
    "name, task, metrics",
    [
        ("pairs", "text2text-generation", ["exact_match", "character_accuracy"]),
        ("text", "text-generation", ["nats", "bits", "accuracy"]),
        ("ratings", "tabular-regression", ["rmse", "mae"]),
        ("table", "tabular-regression", ["rmse", "mae", "r2"]),
    ],
)
def test_each_kind_of_run_has_its_metrics(keeping, tmp_path, name, task, metrics):
    text = members(pack(keeping(name), tmp_path / "a.zip").path)["README.md"].decode()
    [results] = head(text)["model-index"][0]["results"]
    assert results["task"] == {"type": task} and [each["type"] for each in results["metrics"]] == metrics
    evaluation = json.loads((keeping(name) / "evaluation.json").read_text())["held_out"]
    values = evaluation.get("values", evaluation)
    assert [each["value"] for each in results["metrics"]] == [values[each] for each in metrics]
    assert "## Training" not in text  # its data are in no file that a recipe names


def test_the_command_writes_a_card_into_the_run_or_a_file(run_copy, tmp_path):
    result = call("evaluate", "--run", run_copy.path, "--card", "--samples", "20")
    assert (result.returncode, result.stderr) == (0, "")
    text = (run_copy.path / "README.md").read_text()
    assert head(text)["model-index"][0]["name"] == "copy" and "| held out | 20 |" in text
    again = call("evaluate", "--run", run_copy.path, "--card")
    assert again.returncode == 2 and again.stderr.endswith(", but it must be a new file\n")
    assert (run_copy.path / "README.md").read_text() == text
    nowhere = call("evaluate", "--run", run_copy.path, "--card", tmp_path / "none" / "card.md", "--samples", "9")
    said = f"evaluate.py: {tmp_path}/none/card.md: cannot be written: No such file or directory\n"
    assert (nowhere.returncode, nowhere.stderr) == (1, said)
    other = call(
        "evaluate", "--run", run_copy.path, "--card", tmp_path / "card.md", "--license", "mit", "--samples", "9"
    )
    assert other.returncode == 0 and head((tmp_path / "card.md").read_text())["license"] == "mit"
    assert Solver(run_copy.path)("3+4") == "7"  # a run folder may have a README.md


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--card", "--pairs", "a.tsv"], "--card: does not go with --pairs"),
        (["--license", "mit"], "--license: goes with --card"),
        (["--card", "--run", "b"], "--card: is the card of one --run"),
        (["--card", "--license", "M"], f"license: got 'M', but it must be {LICENCE}"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_a_card_is_one_line(solved, arguments, message):
    result = call("evaluate", "--run", solved.run.path, *arguments)
    assert (result.returncode, result.stdout, result.stderr) == (2, "", f"evaluate.py: {message}\n")


def test_a_card_of_a_pack_needs_a_file(solved, tmp_path):
    file = pack(solved.run.path, tmp_path / "a.zip").path
    result = call("evaluate", "--run", file, "--card")
    assert result.returncode == 2
    assert result.stderr == f"evaluate.py: card: {file} is a packed run, which is never changed; name a file\n"
