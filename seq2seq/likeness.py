"""Whether what someone asks is like what a run was trained on."""

from __future__ import annotations

from collections.abc import Sequence

from seq2seq.errors import short
from seq2seq.tasks import Task
from seq2seq.tasks.stepwise import in_place
from seq2seq.vocabulary import AlignedCodec, Codec


class Likeness:
    """Says why a source is unlike those of a run's task, and of all that it trained on beside it.

    Parameters
    ----------
    tasks : sequence of Task
        The task, and those of its extra examples.
    codec : Codec
        Of the run's model, which may have a rule that holds for what is longer: reading place by place, a step of the
        working at a time, or for a task of any length.
    """

    def __init__(self, tasks: Sequence[Task], codec: Codec) -> None:
        self._tasks, task = tasks, tasks[0]
        by_place = isinstance(codec, AlignedCodec)
        self._longer = codec.any_length and (task.any_length or in_place(task) or by_place)

    def unlike(self, source: str, calls: Sequence[str] = ()) -> str | None:
        """Why a source is unlike all that was trained on, None if it is like them.

        Parameters
        ----------
        source : str
            As the task's `normalise` gives it.
        calls : sequence of str
            What a run that works in steps asked its model on the way to the answer. Where the number of terms does not
            matter to the model, a source is like those trained on if all of these are.
        """
        reasons = [task.unlike_training(source, self._longer) for task in self._tasks]
        if None in reasons:
            return None
        if not (calls and self._longer and in_place(self._tasks[0])):
            return reasons[0]
        return next((why for call in calls if (why := self._unlike_call(call))), None)

    def _unlike_call(self, call: str) -> str | None:
        reasons = [task.unlike_training(call) for task in self._tasks]
        return None if None in reasons else f"leads to {short(call)}, which {reasons[0]}"
