"""The commands: each is a module that parses its arguments and calls the library.

They are the subcommands of `seq2seq`, which is installed with the package, and of `python -m seq2seq`. The scripts of a
checkout, `scripts/*.py`, run the same code. Nothing is imported here, so that `seq2seq --help` starts quickly.
"""

COMMANDS = {
    "train": "train a model on a task and save it in a run folder",
    "search": "search for better options, and write them as a recipe",
    "evaluate": "score a run on examples that it was not trained on",
    "solve": "answer sources, or continue a text, with a run",
    "explain": "show how a run arrives at its answer",
    "serve": "show a page on which to ask runs, and to watch them learn",
    "export": "write the graphs of a run in ONNX, or in MXNet's own format",
    "pack": "pack a run into one file, to hand on",
    "import": "put a checkpoint in MXNet's own format back into a run folder",
    "tasks": "describe every task and its options",
    "recipes": "list the recipes, or run them all and write a table of results",
}
