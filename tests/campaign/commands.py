"""Odd command lines of the scripts."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

from tests.campaign.fixtures import RUNS, Cache
from tests.campaign.runner import Check, Command
from tests.campaign.values import TEXTS

TASKS = ("arithmetic", "addition", "pairs", "text", "dates", "spelling", "roman", "copy", "sort", "pronunciation",
         "ratings", "table")  # fmt: skip
# What no command line can have is left out, and so are folders that are not the campaign's own.
ODD = [
    text for text in TEXTS if not set(text) & {"\0", "\ud800"} and text not in ("/", "../..") and len(text) < 100_000
]

# Numbers that are odd, and none with which a command rightly works for long.
NUMBERS = (
    "0", "1", "-1", "3", "1.5", "-0.5", "1e-45", "1e-320", "1e39", "1e308", "1e400", "1000000000", "1000000000000",
    "9" * 30, "9" * 5000, "nan", "inf", "-inf", "0.5", "1_000", "0x10", "\u0663", "1-2", "2-1", "0-9",
    "1-1000000000000",
)  # fmt: skip
SOURCES = (
    "3+4", "", " ", "-3", "--", "3" * 1000, "x" * 100_000, "3+4\n5+6", "\udcff", "\ue000", "\U0001f600", "the cat",
    "u1,film 2", "u1", '["u1", "film 2"]', '{"size": 3}',
)  # fmt: skip
RUN_DIRS = (
    "run",
    "new",
    "a\nb",
    "\udcff",
    "",
    ".",
    "..",
    "/",
    "/dev/null",
    "text.txt",
    "nowhere/deep",
    "x" * 300,
    "link",
    "-",
    "run/",
)

PICTURES = ("a.png", "a", "a.svg", "/a/b.png", "\udcff.png")
PAGES = ("page.md", "--", "run", "nowhere/page.md", "text.txt.gz", "\udcff")
DEVICES = ("auto", "cpu", "gpu", "gpu:9", "gpu:99999")
ANY = {"seed": NUMBERS, "device": DEVICES}
# The options of each script, and values to give to them; None to those that have none.
OPTIONS: dict[str, dict[str, Any]] = {
    "train": {
        **ANY,
        "task": (*TASKS, "chess"),
        "preset": ("default", "notebook"),
        "recipe": ("tiny.toml", "text.toml", "small", "nowhere.toml", "wrong/tiny.toml"),
        "run-dir": RUN_DIRS,
        **dict.fromkeys(("find-rate", "list-tasks", "resume", "reverse-target", "no-bidirectional", "position-bias")),
        **dict.fromkeys(("identity", "task.by-digit")),
        "task.path": ("pairs.tsv", "text.txt", "/dev/null", "run", "nowhere", "text.txt.gz", "films.csv", "cakes.csv"),
        **{f"task.{name}": ("user", "item", "rating", "price", "") for name in ("user", "item", "rating", "target")},
        **dict.fromkeys(("task.log", "task.classes")),
        **{f"task.{name}": ("size", "weight,taste", ",", "x") for name in ("leave", "categories")},
        "task.operators": ("+", "+-*/%", "", "x", "++"),
        "task.steps": ("call", "answer", "none"),
        "task.letters": ("abc", "", "a"),
        **{f"task.{name}": NUMBERS for name in ("length", "longest", "terms", "operands", "digits", "least", "most")},
        "split": ("expression", "commutative", "none", "position", "date", "row", "pair", "columns"),
        "model": ("auto", "repeat", "attention", "transducer", "aligned", "dot", "neural", "tabular", *RUNS),
        "cell": ("lstm", "rnn"),
        "activation": ("relu", "tanh"),
        "optimizer": ("adam", "sgd"),
        "schedule": ("cosine", "restarts", "constant"),
        **dict.fromkeys(("examples", "validation", "test", "hidden-size", "layers", "dropout", "embedding"), NUMBERS),
        **dict.fromkeys(("epochs", "batch-size", "learning-rate", "cycles", "warmup-steps", "clip-norm"), NUMBERS),
        "penalty": NUMBERS,
        **dict.fromkeys(("momentum", "epsilon", "patience", "show-every"), NUMBERS),
    },
    "solve": {
        **ANY,
        "run": RUN_DIRS,
        "continue": SOURCES,
        **dict.fromkeys(("steps", "predict", "json")),
        **dict.fromkeys(("best", "characters", "temperature", "top-k"), NUMBERS),
    },
    "evaluate": {
        **ANY,
        "run": RUN_DIRS,
        "samples": NUMBERS,
        "json": None,
        "plot": PICTURES,
        "pairs": ("pairs.tsv", "nowhere", "/dev/null"),
    },
    "explain": {
        **ANY,
        "run": RUN_DIRS,
        "plot": PICTURES,
        "embeddings": PICTURES,
        "dimensions": ("2", "3", "4"),
        "neighbours": ("7", "", "77", "\udcff", "t"),
    },
    "recipes": {
        **ANY,
        "train": None,
        "only": ("tiny", "", ",", "nowhere"),
        "seeds": ("0", "1", "-1", "x"),
        "runs": RUN_DIRS,
        "recipes": ("recipes", "texts", "nowhere", "run", "wrong"),
        "page": PAGES,
        "readme": PAGES,
    },
    "steps": {
        **ANY,
        "only": ("tiny", "", ",", "nowhere"),
        "samples": ("0", "1", "-1", "x"),
        "runs": RUN_DIRS,
        "recipes": ("texts", "recipes", "nowhere", "run", "wrong"),
        "page": PAGES,
    },
}
LONG = ("epochs", "seeds", "characters", "samples")  # a large number is right for these, and takes its time
# What keeps a command from taking long, or from writing into the checkout.
BEFORE = {
    "train": ["--task.operands=0-9", "--examples=60", "--layers=1", "--hidden-size=8", "--epochs=1", "--batch-size=16"],
    "solve": ["--run=run", "--characters=20"],
    "evaluate": ["--run=run", "--samples=20"],
    "explain": ["--run=run"],
    "recipes": ["--recipes=recipes", "--page=page.md", "--readme=page.md", "--runs=new", "--seeds=1"],
    "steps": ["--recipes=texts", "--page=page.md", "--runs=new", "--samples=1", "--only=tiny"],
}
TEXTS_OF_STEPS = (["text.txt"], ["text.txt"], [], ["nowhere"], ["text.txt.gz"], ["pairs.tsv", "text.txt"])
RECIPE = """\
about = "x"
excludes = "y"

[task]
{task}

[model]
hidden_size = 4

[training]
epochs = 1
"""


def make(rng: random.Random, folder: Path, cache: Cache) -> Check:
    """A folder with a run and recipes in it, and a command line that is drawn."""
    script = rng.choices(list(OPTIONS), [8, 4, 3, 2, 2, 2])[0]
    name = rng.choice(list(RUNS))
    shutil.copytree(cache.run(name), folder / "run")
    (folder / "elsewhere").mkdir()
    (folder / "link").symlink_to("elsewhere")
    _write_recipes(folder)
    arguments = list(BEFORE[script])
    if script == "solve" and rng.random() < 0.5:
        arguments.pop()  # which goes with --continue alone
    for _ in range(rng.choice([1, 1, 2, 3])):
        arguments += _option(rng, script)
    if script == "steps":
        arguments += rng.choice(TEXTS_OF_STEPS)
    elif script in ("solve", "explain") and rng.random() < 0.7:
        arguments += [*rng.choice([[], ["--"]]), *rng.choices([RUNS[name][1], *SOURCES], k=rng.choice([1, 1, 2]))]
    stdin = "\n".join(rng.choices([RUNS[name][1], *SOURCES], k=3)).encode(errors="surrogateescape")
    return Check(name, [Command(script, tuple(arguments), stdin)])


def _option(rng: random.Random, script: str) -> list[str]:
    """An option, mostly one of the script's, with a value that is mostly one for it."""
    if rng.random() < 0.05:
        return [
            rng.choice(["--nothing", "--task.nothing", "-x", "--", "--run", "-", "--help", "--seed=", "--run-dir="])
        ]
    name = rng.choice(list(OPTIONS[script]))
    values = OPTIONS[script][name]
    if values is None:
        return [f"--{name}"]
    if name in LONG:
        values = [each for each in values if len(each) < 4]
    value = rng.choice(values) if rng.random() < 0.8 else rng.choice(ODD)
    form = rng.choice(["together", "together", "apart", "without"] if rng.random() < 0.2 else ["together"])
    return {"together": [f"--{name}={value}"], "apart": [f"--{name}", value], "without": [f"--{name}"]}[form]


def _write_recipes(folder: Path) -> None:
    for name, task in {
        "recipes": 'name = "arithmetic"\noperands = [0, 3]',
        "texts": 'name = "text"\npath = "text.txt"',
    }.items():
        (folder / name).mkdir()
        (folder / name / "tiny.toml").write_text(RECIPE.format(task=task))
    shutil.copyfile(folder / "recipes" / "tiny.toml", folder / "tiny.toml")
    shutil.copyfile(folder / "texts" / "tiny.toml", folder / "text.toml")
    (folder / "wrong").mkdir()
    (folder / "wrong" / "tiny.toml").write_bytes(b"\xff = [")
    (folder / "page.md").write_text("# A page\n\n<!-- measured: tiny -->\n<!-- end -->\n")
    (folder / "text.txt.gz").write_bytes(b"\x1f\x8b\xff\xfe\x00")
