"""Run every recipe over several seeds, and write the table of results."""

from __future__ import annotations

import json
import os
import re
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

import seq2seq
from seq2seq.cli import invocation
from seq2seq.cli.pages import (
    alone_in,
    fill,
    read_page,
    read_result,
    read_results,
    results_beside,
    shows_results,
    write_json,
)  # fmt: skip
from seq2seq.cli.parser import CommandParser
from seq2seq.cli.program import say
from seq2seq.cli.quoting import quote
from seq2seq.cli.shards import JOBS, Shard, shard, shard_of_job
from seq2seq.errors import DataError, require
from seq2seq.folders import HeldError
from seq2seq.recipes import FOLDER, Recipe, load_recipe, recipe_names, score_trials
from seq2seq.runs import RESULT
from seq2seq.showing import one_line

ROOT = Path(__file__).resolve().parent.parent.parent
HEAD = """\
# What it solves

    {recipes} --train

Each row is a recipe, `seq2seq/recipes/NAME.toml`; `{train} --recipe NAME` runs it once. Exact match
on examples that were not trained on, or an error rate; mean over the seeds, in brackets the least and the greatest.
Which examples are held out depends on the seed, except where they are drawn for a trial. That none was trained on is
checked in every run. Time is of the training, on {processor}, which for some had other work to do.

"""
SCORE = ("n", "exact_match", "character_accuracy")  # what every evaluation has: see `evaluation.Score`
MARK = "written by scripts/recipes.py"  # of the table in the README
COLUMNS = "| recipe | scored on | exact match | seeds | parameters | seconds |\n|---|---|---|---|---|---|\n"


def run(recipe: Recipe, seed: int, run_dir: Path, device: str) -> dict[str, Any]:
    """Train (or continue training) with one seed, and score."""
    kind = recipe.config.task.application
    require(kind == "answering", recipe.name, kind, "answering: what a text's run has learned is no exact match")
    solver = seq2seq.train(None, run_dir, preset=recipe.config, seed=seed, device=device, resume=True)
    evaluation: Any = solver.evaluate()
    if evaluation.overlap:
        raise seq2seq.Seq2SeqError(f"{recipe.name}: {evaluation.overlap:.2%} of the held-out examples were trained on")
    trials = dict(score_trials(recipe, solver))
    last = solver.run.read_metrics()[-1]
    return {
        "held_out": {**asdict(evaluation.held_out), **evaluation.measures["held_out"]},
        "trials": {name: trial.exact_match for name, trial in trials.items()},
        "auc": {name: trial.auc for name, trial in trials.items() if trial.auc is not None},
        "trial_seconds": {name: trial.seconds for name, trial in trials.items()},
        "parameters": sum(array.size for array in solver.weights.values()),
        "epochs": last["epoch"],
        "seconds": last["seconds"],
    }


def table(recipes: list[Recipe], results: dict[str, Any]) -> str:
    """The results as a Markdown table, a row for each set that a recipe is scored on."""
    rows = []
    for recipe in recipes:
        done = list(results[recipe.name]["seeds"].values())
        held_out = [each["held_out"] for each in done]
        n = f"({held_out[0]['n']:,})"
        scored = {f"held out {n}": [each["exact_match"] for each in held_out]}
        for name in [name for name in held_out[0] if name not in SCORE]:  # metrics of the task
            scored[f"{name.replace('_', ' ')} {n}"] = [each[name] for each in held_out]
        for trial in recipe.trials:
            scored[f"{trial.name} ({trial.examples:,})"] = [each["trials"][trial.name] for each in done]
        seconds = statistics.mean(each["seconds"] for each in done)
        for number, (name, values) in enumerate(scored.items()):
            value = f"{statistics.mean(values):.4f} ({min(values):.4f} to {max(values):.4f})"
            cells = [recipe.name, name, value, len(done), f"{done[0]['parameters']:,}", f"{seconds:.0f}"]
            shown = cells if number == 0 else ["", name, value, "", "", ""]
            rows.append(f"| {' | '.join(map(str, shown))} |\n")
    return COLUMNS + "".join(rows)


def write(recipes: list[Recipe], results: dict[str, Any], page: Path, readme: Path | None) -> None:
    """Write the page with the results and the recipes, and the table in the README, if there is one."""
    done = [recipe for recipe in recipes if recipe.name in results]
    notes = [f"- **{recipe.name}**: {recipe.about}. Held out: {recipe.excludes}.\n" for recipe in done]
    commands = {name: invocation.example(name) for name in ("recipes", "train")}
    head = HEAD.format(processor=processor(), **commands)
    page.write_text(f"{head}{table(done, results)}\n{''.join(notes)}", encoding="utf-8")
    if readme:
        readme.write_text(fill(read_page(readme, MARK), MARK, table(done, results)), encoding="utf-8")


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "this machine")


def list_recipes(recipes: list[Recipe], names: list[str]) -> None:
    """Print a description of each recipe, one line each."""
    width = max(map(len, names))
    for recipe, name in zip(recipes, names):
        print(f"{name:{width}}  {one_line(recipe.about)}")


def run_folder(runs: Path, recipe: Recipe, seed: int) -> Path:
    """The folder of a run. It has a `recipe.json` with the result once the run has been scored."""
    return runs / f"{recipe.name}-{recipe.digest}-{seed}"


def results_of(recipes: list[Recipe], runs: Path, file: Path) -> dict[str, Any]:
    """The results in a file, with those of the run folders: of this process, of others and of other shards."""
    results = read_results(file)
    names = sorted(path.parent.name for path in runs.glob(f"*/{RESULT}"))
    for recipe in recipes:
        pattern = re.compile(re.escape(run_folder(runs, recipe, 0).name[:-1]) + r"(\d+)")
        found = {match[1]: read_result(runs / match[0] / RESULT) for match in map(pattern.fullmatch, names) if match}
        found.update(seeds_done(recipe, results))
        if found:
            results[recipe.name] = {"digest": recipe.digest, "seeds": dict(sorted(found.items(), key=by_number))}
    return results


def seeds_done(recipe: Recipe, results: dict[str, Any]) -> dict[str, Any]:
    """The results of a recipe as it is now, by seed."""
    kept = results.get(recipe.name, {})
    return kept["seeds"] if kept.get("digest") == recipe.digest else {}


def by_number(item: tuple[str, Any]) -> int:
    """The seed of a result."""
    return int(item[0])


def seeds_of(arguments: Any) -> range:
    """The seeds that were asked for."""
    return range(arguments.seed, arguments.seed + arguments.seeds)


def train_recipes(recipes: list[Recipe], only: list[Recipe], part: Shard | None, arguments: Any) -> int:
    """Train the recipes that have no results yet, and write the pages. Returns the exit status.

    Of a shard only its part is trained, and no page is written.
    """
    file = results_beside(arguments.page)
    if arguments.readme:
        read_page(arguments.readme, MARK)
    with shows_results(file):  # before hours of training
        results = results_of(recipes, arguments.runs, file)
        table([recipe for recipe in recipes if results.get(recipe.name, {}).get("digest") == recipe.digest], results)
    left_out: set[str] = set()
    pairs = [(recipe, seed) for recipe in only for seed in seeds_of(arguments)]
    for recipe, seed in part.of(pairs) if part else pairs:
        result = seeds_done(recipe, results).get(str(seed))
        if result is None and recipe.name not in left_out:
            result = result_of(recipe, seed, left_out, arguments)
            if result is not None and part is None:
                gather(recipes, arguments, pages=False)
        if result is not None:
            say(f"{recipe.name}, seed {seed}: {json.dumps(result)}")
    if part is None:
        gather(recipes, arguments)
    return 1 if left_out else 0


def result_of(recipe: Recipe, seed: int, left_out: set[str], arguments: Any) -> dict[str, Any] | None:
    """The result of a run, which is trained if no process has done so; None if it cannot be, or another process does.

    A recipe whose data are missing is added to those that are left out.
    """
    folder = run_folder(arguments.runs, recipe, seed)
    file = folder / RESULT
    if file.exists():
        return read_result(file)
    try:
        result = run(recipe, seed, folder, arguments.device)
    except HeldError as error:
        say(f"{recipe.name}, seed {seed}: left to another process: {error}")
        return None
    except (seq2seq.UsageError, DataError) as error:
        left_out.add(recipe.name)
        say(f"{recipe.name}: left out: {error}")
        return None
    write_json(file, result)
    return result


def gather(recipes: list[Recipe], arguments: Any, pages: bool = True) -> dict[str, Any]:
    """Write the results of all processes so far, and the pages that show them."""
    file = results_beside(arguments.page)
    with alone_in(file.parent), shows_results(file):
        results = results_of(recipes, arguments.runs, file)
        write_json(file, results)
        if pages:
            write(recipes, results, arguments.page, arguments.readme)
            print(f"wrote {arguments.page}" + (f" and {arguments.readme}" if arguments.readme else ""))
    return results


def say_missing(recipes: list[Recipe], results: dict[str, Any], arguments: Any) -> int:
    """Say which results are not there yet. Returns the exit status."""
    status = 0
    for recipe in recipes:
        missing = [str(seed) for seed in seeds_of(arguments) if str(seed) not in seeds_done(recipe, results)]
        if missing:
            say(f"{recipe.name}: no result yet with seed {', '.join(missing)}{missing_data(recipe)}")
            status = 1
    return status


def missing_data(recipe: Recipe) -> str:
    """What to add to a message about a recipe without a result: that its data are missing, if they are."""
    try:
        for task in (recipe.config.task, *(extra.task for extra in recipe.config.extra)):
            task.count  # noqa: B018  (reads the file of a task that has one)
    except (seq2seq.UsageError, DataError) as error:
        return f"; its data are missing: {error}"
    return ""


def main() -> int:
    is_script = invocation.is_script()  # in a checkout, which has pages to write
    parser = CommandParser(
        "List the recipes. With --train, train each of them with several seeds, and write a page of results, a JSON "
        "file of the measurements beside it, and the table in the README. Finished recipes are not trained again "
        "unless they have changed; an interrupted one is continued. Recipes whose data are missing are left out. "
        "Several processes can share the runs in a folder; what one of them trains, the others leave to it.",
        {
            "": "",
            "--train --only default --seeds 1": "",
            "--train --shard 2/4": "the second of four parts, such as a task of a job array",
            "--gather": "write the page of what all parts have done",
        },
    )
    shown = "yes" if is_script else "list them"
    parser.add_argument("--recipes", type=Path, default=FOLDER, metavar="DIR", help="where the recipes are")
    parser.add_argument("--train", action="store_true", default=is_script, help=f"train them (default: {shown})")
    parser.add_argument(
        "--shard",
        type=shard,
        metavar="I/N",
        help=f"train part I of N, and write no page (default: from {JOBS}, else all)",
    )
    parser.add_argument(
        "--gather", action="store_true", help="train nothing; write the page of the results that there are"
    )
    parser.add_argument("--only", metavar="NAME,...", help="recipes (default: all)")
    parser.add_argument("--seeds", type=int, metavar="N", help="number of seeds, starting at --seed (default: 3)")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="for run folders (default: runs/recipes)")
    page = "docs/results.md" if is_script else "results.md"
    readme = "README.md" if is_script else None
    parser.add_argument("--page", type=Path, metavar="FILE", help=f"the page to write (default: {page})")
    parser.add_argument(
        "--readme", type=Path, metavar="FILE", help=f"a page that also has the table (default: {readme or 'none'})"
    )
    arguments = parser.parse_args()
    defaults = {
        "only": None,
        "seeds": 3,
        "runs": Path("runs/recipes"),
        "page": ROOT / page if is_script else Path(page),
        "readme": ROOT / readme if readme else None,
    }
    if arguments.gather and arguments.train and not is_script:
        parser.error("--gather: not with --train, since it trains nothing")
    if arguments.shard and (arguments.gather or not arguments.train):
        parser.error("--shard: goes with --train")
    for name, default in defaults.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, default)
        elif not (arguments.train or arguments.gather):
            parser.error(f"--{name}: goes with --train")

    if not arguments.page.parent.is_dir():
        parser.error(f"--page: there is no folder {arguments.page.parent}")
    names = recipe_names(arguments.recipes)
    if not names:
        parser.error(f"--recipes: {arguments.recipes} holds no recipe")
    if not (arguments.train or arguments.gather):
        list_recipes([load_recipe(arguments.recipes / f"{name}.toml") for name in names], names)
        return 0
    names = [name for name in names if "/" not in name]  # those of a text need a text: see scripts/steps.py
    unknown = sorted(set(arguments.only.split(",") if arguments.only else names) - set(names))
    if unknown or arguments.seeds < 1:
        parser.error(f"--only: no recipe {', '.join(unknown)}" if unknown else "--seeds: must be at least 1")
    recipes = [load_recipe(arguments.recipes / f"{name}.toml") for name in names]
    chosen = arguments.only.split(",") if arguments.only else names
    only = [recipe for recipe, name in zip(recipes, names) if name in chosen]
    if arguments.gather:
        return say_missing(only, gather(recipes, arguments), arguments)
    part = arguments.shard or shard_of_job()
    if part:
        words = [word for word in invocation.arguments("--shard") if word != "--train"]
        after = " ".join([invocation.example("recipes"), "--gather", *(quote(os.fsencode(word)) for word in words)])
        say(f"shard {part}; when all are done, write the page with: {after}")
    return train_recipes(recipes, only, part, arguments)
