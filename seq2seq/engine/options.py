"""The options of a training, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from seq2seq.engine.best import Best
from seq2seq.errors import require
from seq2seq.values import HELD, is_held, make_plain, require_fraction, whole

SCHEDULES = ("cosine", "restarts", "constant")
MOST_BATCH = 2**24
MOST_CYCLES = 30  # each twice as long as the last


@dataclass(frozen=True)
class TrainingConfig:
    """How weights are learned.

    Parameters
    ----------
    epochs : int
        Passes over the training examples.
    batch_size : int
        Examples a step (N); the last step of an epoch takes what is left.
    optimizer : str
        `adam` (Kingma and Ba 2015) or `sgd`.
    learning_rate : float
        The highest rate, after the warm-up.
    schedule : str
        `constant`; `cosine`: falling to 0 over all epochs along half a cosine (Loshchilov and Hutter 2017); or
        `restarts`: doing so several times, each time over twice as many steps as the last.
    cycles : int
        How many times, for `restarts`.
    warmup_steps : int
        Steps over which the rate rises from 0 to `learning_rate` in a straight line; at most a tenth of all steps.
    clip_norm : float
        The length to which the gradient of all parameters together is cut (Pascanu et al. 2013); 0 leaves it as it is.
    momentum : float
        Of `sgd`.
    epsilon : float
        Of `adam`: what is added to the root of the second moment.
    weight_decay : float
        The fraction that all weights lose at every update, times the learning rate (Loshchilov and Hutter 2019).
    best_by : str
        Which epoch is the best: `auto`, by the highest exact match on validation examples and then by the lowest loss,
        or for a text by the lowest loss; else the name of a validation value with `:max` or `:min`, such as
        `validation_loss:min`. After a comma, what decides between equals.
    patience : int
        Stop after this many epochs without a better one; 0 never stops early.
    show_every : int
        Epochs between two shows of ten held-out questions; 0 shows none.
    """

    epochs: int = field(default=100, metadata={"help": "passes over the training examples", "parse": int})
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
    show_every: int = field(
        default=10, metadata={"help": "epochs between shows of ten held-out questions; 0: none", "parse": int}
    )

    def __post_init__(self) -> None:
        make_plain(self)
        for name, least in {"epochs": 1, "warmup_steps": 0, "patience": 0, "show_every": 0}.items():
            whole(name, getattr(self, name), least)
        whole("batch_size", self.batch_size, 1, MOST_BATCH)
        whole("cycles", self.cycles, 1, MOST_CYCLES)
        require(self.optimizer in ("adam", "sgd"), "optimizer", self.optimizer, "adam or sgd")
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
