import shutil

import numpy as np

from seq2seq import Text, train
from seq2seq.runs import Run
from tests.conftest import some_text


def as_before(run):
    """Have a run's state as an earlier version wrote it, which knew exact match and loss alone."""
    arrays, state = run.read_arrays("optimizer.safetensors")
    del state["best"]
    best = run.read_metrics()[state["best_epoch"] - 1]
    old = {**state, "best_exact_match": best["validation_exact_match"], "best_loss": str(best["validation_loss"])}
    run.write_arrays("optimizer.safetensors", arrays, old)


def same(first, second):
    return first.keys() == second.keys() and all((first[name] == second[name]).all() for name in first)


def test_a_run_of_an_earlier_version_is_resumed_to_the_same_weights(small, tmp_path):
    run = train(**small, run_dir=tmp_path / "new").run
    shutil.copytree(run.path, tmp_path / "old")
    as_before(Run(tmp_path / "old"))
    new, old = (
        train(run_dir=tmp_path / name, resume=True, epochs=5, patience=0, progress=False) for name in ("new", "old")
    )
    assert same(new.weights, old.weights)
    for name in ("best.safetensors", "last.safetensors", "optimizer.safetensors"):
        (arrays, state), (others, other) = (solver.run.read_arrays(name) for solver in (new, old))
        assert same(arrays, others) and {**state, "seconds": 0} == {**other, "seconds": 0}


def test_so_is_that_of_a_text_whose_loss_alone_decides(tmp_path):
    options = {"model": "gru", "hidden_size": 8, "batch_size": 4, "progress": False, "show_every": 0}
    run = train(Text(given=some_text(), length=8), tmp_path / "new", epochs=2, **options).run
    shutil.copytree(run.path, tmp_path / "old")
    as_before(Run(tmp_path / "old"))
    new, old = (train(run_dir=tmp_path / name, resume=True, epochs=3, progress=False) for name in ("new", "old"))
    assert same(new.weights, old.weights)
    _, state = old.run.read_arrays("optimizer.safetensors")
    assert set(state["best"]) == {"validation_loss"}


def test_a_run_that_had_no_epoch_yet_is_resumed_too(small, tmp_path):
    run = train(**small, run_dir=tmp_path / "run").run
    arrays, state = run.read_arrays("optimizer.safetensors")
    state = {
        **state,
        "epoch": 0,
        "step": 2,
        "updates": 2,
        "best_epoch": 0,
        "best_exact_match": -1.0,
        "best_loss": "inf",
    }
    del state["best"]
    run.write_arrays("optimizer.safetensors", arrays, state)
    solver = train(run_dir=run.path, resume=True, progress=False)
    assert len(solver.run.read_metrics()) == 3


def test_the_loss_of_before_is_summed_over_characters_now(small, tmp_path):
    """It was divided by the target length, and named otherwise."""
    run = train(**small, run_dir=tmp_path / "run").run
    arrays, state = run.read_arrays("optimizer.safetensors")
    arrays["loss_sum"] = arrays.pop("nats") + np.float32(1)
    run.write_arrays("optimizer.safetensors", arrays, state)
    train(run_dir=run.path, resume=True, progress=False)
    arrays, _ = run.read_arrays("optimizer.safetensors")
    assert arrays["nats"].tolist() == [2.0]  # the targets, 0 to 18, have up to two characters
