"""Recipes that several processes train at the same time, each its part."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from seq2seq import UsageError
from seq2seq.cli.shards import Shard, shard_of_job
from seq2seq.folders import take
from seq2seq.recipes import load_recipe
from seq2seq.runs import FILES
from tests.test_scripts import RECIPE, call, command

SLURM = "SLURM_ARRAY_TASK_"
TIMES = ("seconds", "trial_seconds")


@pytest.fixture(scope="module")
def recipes(tmp_path_factory):
    """A folder with two recipes."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "sums.toml").write_text(RECIPE)
    (folder / "more.toml").write_text(RECIPE.replace("hidden_size = 8", "hidden_size = 12"))
    return folder


@pytest.fixture(scope="module")
def by_one(recipes, tmp_path_factory):
    """What one process has made of the recipes."""
    place = with_readme(tmp_path_factory.mktemp("alone") / "one")
    ended(begin(*options(recipes, place), "--seeds", 2))
    return shown(place)


def options(recipes, place):
    pages = ["--page", place / "page.md", "--readme", place / "readme.md"]
    return ["--recipes", recipes, "--runs", place / "runs", *pages]


def begin(*arguments, env=None):
    return subprocess.Popen(command("recipes", *arguments), stderr=subprocess.PIPE, text=True, env=env)


def ended(*processes):
    """What each process has said, once all have ended without an error."""
    said = [process.communicate(timeout=200)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return said


def shown(place):
    """The page, the table of the README and the results, without times."""
    results = json.loads((place / "page.json").read_text())
    for recipe in results.values():
        for result in recipe["seeds"].values():
            for name in TIMES:
                del result[name]
    pages = [(place / name).read_text() for name in ("page.md", "readme.md")]
    return [re.sub(r"\d+ \|$", "|", page, flags=re.M) for page in pages], json.dumps(results)


def with_readme(place):
    place.mkdir()
    (place / "readme.md").write_text("<!-- written by scripts/recipes.py -->\n<!-- end -->\n")
    return place


def results_said(text):
    """The runs whose results are told of in the lines of a process."""
    return re.findall(r"^(\w+, seed \d+): \{", text, re.M)


def test_two_shards_at_once_make_the_table_of_one_process(recipes, by_one, tmp_path):
    place = with_readme(tmp_path / "two")
    said = ended(*[begin(*options(recipes, place), "--seeds", 2, "--shard", f"{number}/2") for number in (1, 2)])
    for number, text in enumerate(said):
        words = shlex.join([*map(str, options(recipes, place)), "--seeds", "2"])
        after = f"python scripts/recipes.py --gather {words}"
        assert text.startswith(f"shard {number + 1}/2; when all are done, write the page with: {after}\n")
        assert results_said(text) == [f"more, seed {number}", f"sums, seed {number}"] and "left to" not in text
    assert not (place / "page.md").exists() and not (place / "page.json").exists()
    result = call("recipes", *options(recipes, place), "--seeds", 2, "--gather")
    assert (result.returncode, result.stderr) == (0, "")
    assert shown(place) == by_one
    before = {path: path.stat().st_mtime_ns for path in (place / "runs").rglob("*")}
    ended(begin(*options(recipes, place), "--seeds", 2))  # a process without a shard finds what is done
    assert {path: path.stat().st_mtime_ns for path in (place / "runs").rglob("*")} == before


def test_the_same_command_twice_at_once_makes_the_table_of_one_process(recipes, by_one, tmp_path):
    place = with_readme(tmp_path / "two")
    ended(*[begin(*options(recipes, place), "--seeds", 2) for _ in range(2)])
    assert shown(place) == by_one
    assert not [name for name in os.listdir(place / "runs") if name.startswith(".")]


def test_a_run_that_another_process_trains_is_left_to_it(recipes, tmp_path):
    place = with_readme(tmp_path / "place")
    name = f"sums-{load_recipe(recipes / 'sums.toml').digest}-0"
    with take(place / "runs" / name, FILES):
        [said] = ended(begin(*options(recipes, place), "--only", "sums", "--seeds", 1))
    assert said == f"sums, seed 0: left to another process: {place}/runs/{name}: another process is making this run\n"
    result = call("recipes", *options(recipes, place), "--seeds", 2, "--gather")
    assert result.returncode == 1
    assert result.stderr == "more: no result yet with seed 0, 1\nsums: no result yet with seed 0, 1\n"


WITHOUT_DATA = 'about = "words"\nexcludes = "x"\n\n[task]\nname = "pairs"\npath = "missing.tsv"\n'


def test_a_recipe_without_its_data_is_left_out_and_named(recipes, by_one, tmp_path):
    (tmp_path / "recipes").mkdir()
    for file in recipes.iterdir():
        (tmp_path / "recipes" / file.name).write_text(file.read_text())
    (tmp_path / "recipes" / "apart.toml").write_text(WITHOUT_DATA)
    place = with_readme(tmp_path / "place")
    missing = "missing.tsv: cannot be read: No such file or directory"
    result = call("recipes", *options(tmp_path / "recipes", place), "--seeds", 2)
    assert (result.returncode, result.stderr.splitlines()[0]) == (1, f"apart: left out: {missing}")
    assert shown(place) == by_one
    result = call("recipes", *options(tmp_path / "recipes", place), "--seeds", 2, "--gather")
    assert result.returncode == 1
    assert result.stderr == f"apart: no result yet with seed 0, 1; its data are missing: {missing}\n"


def test_pages_that_cannot_be_written_are_refused_before_the_training(recipes, tmp_path):
    place = with_readme(tmp_path / "place")
    (place / "readme.md").write_text("without marks\n")
    marks = "has no lines <!-- written by scripts/recipes.py --> and <!-- end -->, between which results are written"
    missing = "cannot be read: No such file or directory"
    for name, status, problem in [("readme.md", 2, marks), ("none.md", 1, missing)]:
        for more in ([], ["--gather"]):
            result = call("recipes", *options(recipes, place)[:-1], place / name, *more)
            assert (result.returncode, result.stderr) == (status, f"recipes.py: {place / name}: {problem}\n")
    result = call("recipes", *options(recipes, place), "--page", place / "none" / "page.md")
    assert (result.returncode, result.stderr) == (2, f"recipes.py: --page: there is no folder {place / 'none'}\n")
    assert not (place / "runs").exists()


def test_a_result_that_is_none_is_named(recipes, tmp_path):
    place = with_readme(tmp_path / "place")
    file = place / "runs" / f"sums-{load_recipe(recipes / 'sums.toml').digest}-0" / "recipe.json"
    file.parent.mkdir(parents=True)
    for content, problem in (("[]", f"{file}: holds no results in JSON"), ("{}", ".*page.json: holds results of an.*")):
        file.write_text(content)
        result = call("recipes", *options(recipes, place), "--gather")
        assert result.returncode == 2 and re.fullmatch(f"recipes.py: {problem}\n", result.stderr), result.stderr


def slurm(task, least, most, step, count):
    values = {"ID": task, "MIN": least, "MAX": most, "STEP": step, "COUNT": count}
    return {f"{SLURM}{name}": str(value) for name, value in values.items()}


def pod(index, count):
    return {"JOB_COMPLETION_INDEX": str(index), "JOB_COMPLETIONS": str(count)}


@pytest.mark.parametrize(
    "environ, shard",
    [
        ({}, None),
        (slurm(0, 0, 3, 1, 4), (1, 4)),
        (slurm(4, 1, 4, 1, 4), (4, 4)),
        (slurm(20, 10, 30, 5, 5), (3, 5)),
        (slurm(7, 7, 7, 1, 1), (1, 1)),
        (pod(0, 3), (1, 3)),
        (pod(2, 3), (3, 3)),
    ],
)
def test_a_task_of_a_job_knows_its_part(environ, shard):
    assert shard_of_job(environ) == (shard and Shard(*shard))


@pytest.mark.parametrize(
    "environ, message",
    [
        (
            slurm(3, 1, 7, 1, 3),
            "SLURM_ARRAY_TASK_ID: got 3, but it must be one of 3 numbers in equal steps, 1 to 7; or",
        ),
        (slurm(3, 0, 4, 2, 3), "SLURM_ARRAY_TASK_ID: got 3, but"),
        (slurm("x", 0, 4, 1, 5), "SLURM_ARRAY_TASK_ID: got 'x', but it must be a whole number in the environment"),
        (
            {"SLURM_ARRAY_TASK_ID": "1"},
            "SLURM_ARRAY_TASK_MIN: got None, but it must be a whole number",
        ),
        (
            {"JOB_COMPLETION_INDEX": "1"},
            "JOB_COMPLETIONS: got None, but it must be a whole number in the environment",
        ),
        (pod(3, 3), "JOB_COMPLETION_INDEX: got 3, but it must be below 3, which is JOB_COMPLETIONS"),
    ],
)
def test_jobs_whose_parts_are_not_known_are_refused(environ, message):
    with pytest.raises(UsageError, match=f"^{message}"):
        shard_of_job(environ)


def test_the_parts_have_each_item_once():
    items = list(range(10))
    for parts in (1, 3, 10, 12):
        found = [item for number in range(parts) for item in Shard(number + 1, parts).of(items)]
        assert sorted(found) == items


def test_a_shard_is_taken_from_the_job(recipes, tmp_path):
    place = with_readme(tmp_path / "place")
    environ = {**os.environ, **slurm(5, 4, 5, 1, 2)}
    [said] = ended(begin(*options(recipes, place), "--seeds", 1, env=environ))
    assert said.startswith("shard 2/2; ") and results_said(said) == ["sums, seed 0"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--shard", value], f"argument --shard: got '{value}', but it must be I/N such as 2/4, with I from 1 to N")
        for value in ("0/2", "3/2", "2", "1/2/3")
    ]
    + [(["--gather", "--shard", "1/2"], "--shard: goes with --train")],
)
def test_shards_that_are_refused(arguments, message):
    result = call("recipes", *arguments)
    assert (result.returncode, result.stderr) == (2, f"recipes.py: {message}\n")


def test_the_jobs_on_the_page_give_each_task_its_part():
    page = (Path(__file__).parent.parent / "docs" / "many-machines.md").read_text(encoding="utf-8")
    [script, *_], [job, *_] = (re.findall(rf"^```{kind}\n(.*?)^```$", page, re.M | re.S) for kind in ("sh", "yaml"))
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    spec = yaml.safe_load(job)["spec"]
    [container] = spec["template"]["spec"]["containers"]
    environ = {each["name"]: each["value"] for each in container["env"]}
    parts = [shard_of_job({**environ, "JOB_COMPLETION_INDEX": str(index)}) for index in range(spec["completions"])]
    assert parts == [Shard(number + 1, spec["parallelism"]) for number in range(16)]
    assert container["command"] == ["seq2seq", "recipes", "--train"] and script.endswith(
        "exec seq2seq recipes --train\n"
    )
    first, last = re.search(r"--array=(\d+)-(\d+)", script).groups()
    assert shard_of_job(slurm(last, first, last, 1, 16)) == Shard(16, 16)
