"""Decides whether a source is like the training examples of a run."""

from __future__ import annotations

from collections.abc import Sequence

from seq2seq.errors import SourceError, short
from seq2seq.tasks import Task
from seq2seq.tasks.stepwise import in_place
from seq2seq.vocabulary import AlignedCodec, Codec


class Likeness:
    """Gives the reason why a source is unlike the training examples.

    Parameters
    ----------
    tasks : sequence of Task
        The run's task, and the tasks of its extra examples.
    codec : Codec
        The codec of the run's model. Longer sources can be like the training examples if the model reads place by
        place or works in steps, or if the rule of the task holds for any length.
    """

    def __init__(self, tasks: Sequence[Task], codec: Codec) -> None:
        self._tasks = tasks
        task = tasks[0]
        by_place = isinstance(codec, AlignedCodec)
        self._longer = codec.any_length and (task.any_length or in_place(task) or by_place)

    def unlike(self, source: str, calls: Sequence[str] = ()) -> str | None:
        """The reason why a source is unlike all training examples, or None if it is like them.

        Parameters
        ----------
        source : str
            As returned by the task's `normalise`.
        calls : sequence of str
            For a run that works in steps, the inputs of all steps. If the model works for any number of terms, a source
            is like the training examples if all of these are.

        Returns
        -------
        str or None
        """
        reason = self._reason(source, self._longer)
        if not (calls and self._longer and in_place(self._tasks[0])) or calls[0] == source:
            return reason
        return reason and next((why for call in calls if (why := self._unlike_call(call))), None)

    def _unlike_call(self, call: str) -> str | None:
        reason = self._reason(call, False)
        return reason and f"leads to {short(call)}, which {reason}"

    def _reason(self, source: str, longer: bool) -> str | None:
        """The reason given by the first task that reads such a source and has some as long, or else by that with the
        longest."""
        reasons = [task.unlike_training(source, longer) for task in self._tasks]
        if None in reasons:
            return None
        reading = {place: task.source_length for place, task in enumerate(self._tasks) if _reads(task, source)}
        longest = max(reading.values(), default=0)
        return reasons[next((place for place in reading if reading[place] >= min(len(source), longest)), 0)]


def _reads(task: Task, source: str) -> bool:
    try:
        task.normalise(source)
    except SourceError:
        return False
    return True
