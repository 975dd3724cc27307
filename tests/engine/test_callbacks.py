import pytest

from seq2seq import UsageError, train
from seq2seq.engine.callbacks import Callback
from tests.engine.test_trainer import CONFIG, replace, trainer


class Written(Callback):
    """Everything that it is told."""

    def __init__(self):
        self.lines = []

    def on_start(self, start):
        self.trainer = start.trainer
        self.lines.append(("start", *start[:3]))

    def on_step(self, step):
        self.lines.append(("step", step.update, step.rows))

    def on_epoch(self, row):
        self.lines.append(("epoch", row["epoch"]))

    def on_samples(self, lines):
        self.lines.append(("samples", len(lines)))

    def on_save(self, trainer):
        self.lines.append(("save", len(trainer.history)))

    def on_end(self):
        self.lines.append(("end",))


def test_a_callback_is_told_of_everything_in_its_order():
    told = Written()
    trainer(replace(CONFIG, epochs=2, batch_size=40, show_every=2), progress=told).fit()
    steps = [[("step", 2 * epoch + update, 40 * update) for update in (1, 2)] for epoch in (0, 1)]
    assert told.lines == [
        ("start", 2, 80, 0), *steps[0], ("epoch", 1), *steps[1], ("epoch", 2), ("samples", 10), ("end",),
    ]  # fmt: skip


def test_reading_the_loss_at_a_step_gives_the_mean_of_the_epoch_so_far():
    class Losses(Written):
        def on_step(self, step):
            self.lines.append(step.loss)

    told = Losses()
    [row] = trainer(replace(CONFIG, epochs=1), progress=told).fit()
    losses = [line for line in told.lines if isinstance(line, float)]
    assert len(losses) == 5 and losses[-1] == row["train_loss"]


def test_a_callback_can_end_a_training():
    class Stop(Written):
        def on_epoch(self, row):
            if row["epoch"] == 2:
                self.trainer.stop()

    assert len(trainer(replace(CONFIG, epochs=9), progress=Stop()).fit()) == 2


def test_the_end_is_told_whatever_ends_it():
    class Fails(Written):
        def on_epoch(self, row):
            raise RuntimeError("mine")

    told = Fails()
    with pytest.raises(RuntimeError, match="mine"):
        trainer(progress=told).fit()
    assert told.lines[-1] == ("end",)


@pytest.mark.parametrize("callbacks", [Written(), [Written], ["no callback"], 3])
def test_what_is_no_callback_is_refused_before_anything_is_written(small, tmp_path, callbacks):
    with pytest.raises(UsageError, match=r"callbacks: got .* but it must be a list of Callback objects"):
        train(**small, run_dir=tmp_path / "run", callbacks=callbacks)
    assert not (tmp_path / "run").exists()


def test_a_callback_may_ask_a_run_and_look_at_the_weights(small, tmp_path):
    solver = train(**small, run_dir=tmp_path / "asked")

    class Asks(Written):
        def on_epoch(self, row):
            self.lines.append((solver("1+1"), len(self.trainer.weights)))

    asks = Asks()
    train(**small, run_dir=tmp_path / "run", callbacks=[asks])
    assert asks.lines.count((solver("1+1"), len(solver.weights))) == 3


def test_a_row_is_the_callbacks_own(small, tmp_path):
    class Clears(Written):
        def on_epoch(self, row):
            row.clear()

    solver = train(**small, run_dir=tmp_path / "run", callbacks=[Clears()])
    assert [row["epoch"] for row in solver.run.read_metrics()] == [1, 2, 3]


def test_train_takes_callbacks_of_ones_own(small, tmp_path):
    told = Written()
    train(**small, run_dir=tmp_path / "run", callbacks=[told])
    assert [line for line in told.lines if line[0] == "epoch"] == [("epoch", 1), ("epoch", 2), ("epoch", 3)]
    assert told.lines[0] == ("save", 0) and told.lines[-2:] == [("save", 3), ("end",)]
