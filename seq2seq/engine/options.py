"""Training options and their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from seq2seq.engine.best import Best
from seq2seq.errors import is_whole, require
from seq2seq.values import HELD, is_held, make_plain, require_fraction, whole

LSTMS = ("mxnet", "compiled")
SCHEDULES = ("cosine", "restarts", "constant")
MOST_BATCH = 2**24
MOST_CYCLES = 30  # each twice as long as the last


@dataclass(frozen=True)
class TrainingConfig:
    """Options of the training loop.

    Parameters
    ----------
    epochs : int
        Passes over the training examples, or with `examples_per_epoch` over so many of them.
    examples_per_epoch : int, optional
        Training examples in an epoch, drawn anew for every epoch; by default all.
    batch_size : int
        Examples per step (N); the last step of an epoch takes the remaining examples.
    optimizer : str
        `adam` (Kingma and Ba 2015) or `sgd`.
    learning_rate : float
        The highest learning rate, reached after the warm-up.
    schedule : str
        `constant`; `cosine`, half a cosine that falls to 0 over all epochs (Loshchilov and Hutter 2017); or
        `restarts`, several such cycles, each twice as long as the one before it.
    cycles : int
        Number of cycles of `restarts`.
    warmup_steps : int
        Steps over which the rate rises linearly from 0 to `learning_rate`; at most a tenth of all steps.
    clip_norm : float
        Maximum norm of the gradient of all parameters together (Pascanu et al. 2013); 0 disables clipping.
    momentum : float
        Momentum of `sgd`.
    epsilon : float
        Added by `adam` to the square root of the second moment.
    weight_decay : float
        Fraction of all weights removed at every update, times the learning rate (Loshchilov and Hutter 2019).
    best_by : str
        The rule that chooses the best epoch. `auto` takes that of the application: see `Application.best_by`. Otherwise
        the name of a validation value with `:max` or `:min`, such as `validation_loss:min`; further values, after
        commas, break ties.
    patience : int
        Stop after this many epochs without a better one; 0 never stops early.
    shards : int
        Number of parts of each batch whose gradients are added up in their order. Each part is computed by one of the
        processes that train together, so a run has the same weights with any number of processes up to this one. With
        1, the workers of a process share a batch in their own way.
    lstm : str
        `mxnet`, or `compiled`, which trains faster on a CPU and needs g++ when it is first used: see
        `seq2seq/compiled/`. Rounding differs between the two.
    show_every : int
        Number of epochs between two displays of samples; 0 shows none.

    Raises
    ------
    UsageError
        If a value is not allowed.
    """

    epochs: int = field(default=100, metadata={"help": "passes over the training examples", "parse": int})
    examples_per_epoch: int | None = field(
        default=None, metadata={"help": "training examples in an epoch, if not all", "parse": int}
    )
    batch_size: int = field(default=64, metadata={"help": "examples a step", "parse": int})
    optimizer: str = field(default="adam", metadata={"help": "adam or sgd", "parse": str})
    learning_rate: float = field(default=0.004, metadata={"help": "highest learning rate", "parse": float})
    schedule: str = field(
        default="cosine", metadata={"help": "learning rate: cosine, restarts or constant", "parse": str}
    )
    cycles: int = field(
        default=3, metadata={"help": "cosines of the schedule restarts, each twice as long as the last", "parse": int}
    )
    warmup_steps: int = field(
        default=200, metadata={"help": "steps over which the rate rises from 0, at most a tenth of all", "parse": int}
    )
    clip_norm: float = field(
        default=1.0, metadata={"help": "cut the gradient to this length; 0: never", "parse": float}
    )
    momentum: float = field(default=0.9, metadata={"help": "momentum of sgd", "parse": float})
    epsilon: float = field(default=1e-8, metadata={"help": "epsilon of adam", "parse": float})
    weight_decay: float = field(
        default=0.0,
        metadata={"help": "fraction of the weights lost at every update, times the learning rate", "parse": float},
    )
    best_by: str = field(
        default="auto",
        metadata={
            "help": "what chooses the best epoch: auto, or NAME:min or NAME:max of a validation value",
            "parse": str,
        },
    )
    patience: int = field(
        default=0, metadata={"help": "stop after this many epochs without a better one; 0: never", "parse": int}
    )
    shards: int = field(
        default=1, metadata={"help": "parts of each batch: the most processes that can train together", "parse": int}
    )
    lstm: str = field(
        default="mxnet",
        metadata={
            "help": "mxnet, or compiled: trains faster on a CPU, and needs g++ when it is first used",
            "parse": str,
        },
    )
    show_every: int = field(
        default=10, metadata={"help": "epochs between shows of held-out samples; 0: none", "parse": int}
    )

    def __post_init__(self) -> None:
        make_plain(self)
        for name, least in {"epochs": 1, "warmup_steps": 0, "patience": 0, "show_every": 0}.items():
            whole(name, getattr(self, name), least)
        whole("batch_size", self.batch_size, 1, MOST_BATCH)
        if self.examples_per_epoch is not None:
            whole("examples_per_epoch", self.examples_per_epoch, 1)
        whole("cycles", self.cycles, 1, MOST_CYCLES)
        most = f"a whole number from 1 to {self.batch_size}, the batch size"
        require(is_whole(self.shards, 1, self.batch_size), "shards", self.shards, most)
        require(self.optimizer in ("adam", "sgd"), "optimizer", self.optimizer, "adam or sgd")
        require(self.lstm in LSTMS, "lstm", self.lstm, f"one of {', '.join(LSTMS)}")
        require(self.schedule in SCHEDULES, "schedule", self.schedule, f"one of {', '.join(SCHEDULES)}")
        for name in ("learning_rate", "epsilon"):
            value = getattr(self, name)
            require(is_held(value) and value > 0, name, value, f"a number above 0 {HELD}")
        for name in ("clip_norm", "weight_decay"):
            value = getattr(self, name)
            require(is_held(value), name, value, f"a number from 0 {HELD}")
        require(isinstance(self.best_by, str), "best_by", self.best_by, "a string")
        if self.best_by != "auto":
            Best.parse(self.best_by)
        require_fraction("momentum", self.momentum)
