"""The model card of a run: a page in Markdown whose head, in YAML, is that of the Hugging Face Hub.

https://huggingface.co/docs/hub/model-cards describes the head.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from seq2seq.applications import application_of
from seq2seq.applications.reports import mistake_line
from seq2seq.config import Config
from seq2seq.errors import RunError, UsageError, require
from seq2seq.evaluation import Mistake
from seq2seq.options import lacking, model_name
from seq2seq.recipes.writing import recipe_text
from seq2seq.showing import one_line

CARD = "README.md"
SPLITS = {
    "none": "Held-out and training examples were drawn independently of each other, so some are the same.",
    "position": "The end of the text was held out.",
}


def model_card(
    name: str,
    config: Config,
    evaluation: Mapping[str, Any] | None,
    epochs: Sequence[Mapping[str, Any]],
    example: str,
    license: str | None = None,
) -> str:
    """Write the card of a run.

    Parameters
    ----------
    name : str
        The run folder or the file, as `--run` names it.
    config : Config
    evaluation : dict, optional
        The content of `evaluation.json`. Without wrong answers in it, the card shows none.
    epochs : sequence of dict
        The rows of `metrics.csv`.
    example : str
        A source.
    license : str, optional
        See `pack`.

    Returns
    -------
    str

    Raises
    ------
    UsageError
        If the licence has other characters than the names of the Hub.
    RunError
        If the evaluation is damaged.
    """
    require_license(license)
    try:
        head = [*_head(name, config, evaluation, license or "unknown")]
        scores = [*_scores(config, evaluation)]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise RunError(f"{name}: its evaluation is damaged: {error}") from None
    parts = [head, _about(config, epochs), scores, _use(name, config, example), _again(config)]
    return "\n".join("\n".join(part) for part in parts)


def require_license(license: str | None) -> None:
    """Raise `UsageError` unless this can be the Hub's name of a licence."""
    named = isinstance(license, str) and re.fullmatch("[a-z0-9][a-z0-9.-]{0,60}", license, re.ASCII)
    require(license is None or bool(named), "license", license, "a name such as mit or cc-by-4.0, in small letters")


def _head(name: str, config: Config, evaluation: Mapping[str, Any] | None, license: str) -> Iterator[str]:
    """The head in YAML."""
    task = config.task
    yield "---"
    yield "library_name: seq2seq"
    yield f"license: {_quoted(license)}"
    yield "tags:"
    for tag in ("seq2seq", "mxnet", task.name):
        yield f"- {_quoted(tag)}"
    if evaluation is not None:
        application = application_of(task)
        published = application.published(evaluation["held_out"])
        yield "model-index:"
        yield f"- name: {_quoted(_stem(name))}"
        yield "  results:"
        yield f"  - task: {{type: {application.hub_task(published)}}}"
        yield f"    dataset: {{type: {_quoted(task.name)}, name: {_quoted(f'{task.name}, held out')}}}"
        yield "    metrics:"
        for metric, value in published.items():
            yield f"    - {{type: {_quoted(metric)}, value: {float(value)!r}}}"
    yield "---\n"


def _about(config: Config, epochs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What the run is."""
    task = config.task
    options = {option: value for option, value in task.options().items() if value not in (None, "")}
    if "path" in options:
        options["path"] = PurePath(options["path"]).name
    lacked = lacking(config)
    network = {name: getattr(config.model, name) for name in ("hidden_size", "layers") if name not in lacked}
    yield f"# A run of the task {task.name}\n"
    yield f"- task: {_code(_listed(task.name, options))}"
    yield f"- model: {_code(_listed(model_name(task, config.model.model), network))}"
    if epochs:
        last = epochs[-1]
        yield f"- training: {last['epoch']} epochs in {last['seconds']:.0f} s, with the seed {config.seed}"
    yield ""


def _scores(config: Config, evaluation: Mapping[str, Any] | None) -> Iterator[str]:
    """What was held out, how well it was answered, and the worst mistakes."""
    yield "## Scores\n"
    if evaluation is None:
        yield "It was not scored.\n"
        return
    split = config.data.split
    yield SPLITS.get(split, f"No held-out example has its `{split}` in common with a training example.") + "\n"
    application = application_of(config.task)
    parts = {"held out": evaluation["held_out"], "trained on": evaluation["train_distribution"]}
    scores = {part: {"n": values["n"], **application.published(values)} for part, values in parts.items()}
    names = [*scores["held out"]]
    yield f"| | {' | '.join(each.replace('_', ' ') for each in names)} |"
    yield f"|---|{'---|' * len(names)}"
    for part, values in scores.items():
        yield f"| {part} | {' | '.join(_number(values[each]) for each in names)} |"
    yield ""
    overlap = evaluation["held_out"].get("overlap")
    if overlap is not None:
        yield f"{overlap:.1%} of the held-out examples had been trained on.\n"
    mistakes = evaluation.get("mistakes")
    if mistakes:
        yield "The worst mistakes, with the model's confidence in its answer:\n"
        yield from _block("text", (mistake_line(Mistake(**each)) for each in mistakes))


def _use(name: str, config: Config, example: str) -> Iterator[str]:
    """How to ask it."""
    yield "## Use\n"
    yield "With `pip install mxseq2seq`, from Python or from a shell:\n"
    yield from _block("python", ["from seq2seq import Solver", "", f"print(Solver({name!r})({example!r}))"])
    yield from _block("sh", [f"seq2seq solve --run {shlex.quote(name)} -- {shlex.quote(example)}"])
    yield "`Solver.answer` and `--json` mark an answer whose source is unlike the training examples.\n"


def _again(config: Config) -> Iterator[str]:
    """How to train it again, if a recipe can say it."""
    if config.start is not None:
        return
    try:
        recipe = recipe_text(config, about=f"a run of {config.task.name}", excludes="see config.json")
    except UsageError:  # its data are in no file that a recipe can name
        return
    yield "## Training\n"
    yield f"As `recipe.toml`, these lines train it again: `seq2seq train --recipe recipe.toml --seed {config.seed}`.\n"
    yield from _block("toml", recipe.splitlines())


def _block(language: str, lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    """A block of code. None of its lines can end it, which takes a line of backticks alone."""
    yield from [f"```{language}", *map(one_line, lines), "```\n"]


def _code(text: str) -> str:
    """Text as code within a line."""
    fence = "`" * (1 + max((len(ticks) for ticks in re.findall("`+", text)), default=0))
    return f"{fence}{' ' if '`' in text else ''}{one_line(text)}{' ' if '`' in text else ''}{fence}"


def _listed(name: str, options: Mapping[str, Any]) -> str:
    """A name with options in parentheses, as Python writes them."""
    return f"{name}({', '.join(f'{option}={value!r}' for option, value in options.items())})"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _stem(name: str) -> str:
    return PurePath(name).name.removesuffix(".zip")


def _quoted(text: str) -> str:
    """A string in YAML, with the escapes that Python has too."""
    escaped = text.encode("unicode_escape").decode().replace('"', '\\"')
    return f'"{escaped}"'
