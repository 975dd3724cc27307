"""The folder of an export to ONNX.

| file | contents |
|---|---|
| `model.onnx` | the graph that answers |
| `beam.onnx` | for `attention`: the graph that answers by a beam search |
| `encoder.onnx`, `decoder.onnx` | for `attention`: the parts of a search |
| `export.json` | the symbols in the order of their ids, lengths, examples, and hashes of the files but the README |
| `config.json` | the configuration of the run, as in a run folder |
| `README.md` | how to use the graphs, with examples |
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, cast

import numpy as np

from seq2seq.archives import read
from seq2seq.decoding import Answer, work_out
from seq2seq.decoding.base import probability
from seq2seq.errors import Seq2SeqError, SourceError, short
from seq2seq.exporting import CHECKED
from seq2seq.exporting.answering import graphs_of_pairs
from seq2seq.exporting.folder import new_folder
from seq2seq.exporting.properties import properties_of
from seq2seq.exporting.readme import readme
from seq2seq.exporting.texts import graphs_of_text
from seq2seq.folders import CONFIG, EXPORT
from seq2seq.models import CharacterModel
from seq2seq.places import PathLike
from seq2seq.runs import MOST_CONFIG, json_bytes
from seq2seq.solver import Solver
from seq2seq.tasks import Task
from seq2seq.tasks.alphabet import PAD
from seq2seq.tasks.stepwise import stepwise
from seq2seq.writer import Writer

# Largest difference between the confidences. MXNet's recurrent layers are less exact: the confidences of a trained run
# differed from those in double precision by up to 9e-6 with MXNet, and by up to 3e-7 with ONNX Runtime.
CLOSE = 5e-5
TIED = 1e-3  # relative difference up to which two answers of a search can have changed places
BEAM = 3  # of the search that is compared
SHOWN = 3  # examples in `export.json`


def export_onnx(solver: Solver, folder: PathLike, beam: bool = True) -> int:
    """Write the folder: see `export` for the other parameters and the errors.

    Parameters
    ----------
    solver : Solver
    folder : path
    beam : bool
        Whether to write and compare the graph of a beam search, where the network has one.

    Returns
    -------
    int
        The number of sources whose answers were compared.
    """
    with new_folder("onnx", folder) as made:
        return _write(solver, made, beam)


def _write(solver: Solver, folder: Path, beam: bool) -> int:
    model = solver.model(solver.codec)
    if model.answers:
        graphs = graphs_of_pairs(model, solver.codec, solver.weights)
    else:
        graphs = graphs_of_text(cast(CharacterModel, model), solver.weights)
    if not beam:
        graphs.pop("beam", None)
    beam = "beam" in graphs
    sources = _sources(solver)
    answers = [_found(solver, source, beam) for source in sources]
    properties = {
        **properties_of(solver),
        "examples": [_example(solver, source, found[0]) for source, found in zip(sources, answers)][:SHOWN],
        "working": _working(solver),
    }
    files = {f"{name}.onnx": graph.model(properties) for name, graph in graphs.items()}
    files[CONFIG] = read(solver.run.path / CONFIG, MOST_CONFIG)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    files["README.md"] = readme(properties, [*files]).encode()
    files[EXPORT] = json_bytes({**properties, "files": hashes})
    for name, content in files.items():
        (folder / name).write_bytes(content)
    _compare(folder, sources, answers, solver.task, beam)
    return len(sources)


def _example(solver: Solver, source: str, answer: Answer) -> dict[str, Any]:
    return {
        "source": solver.codec.alphabet.show_source(source),
        "answer": answer.text,
        "confidence": answer.confidence,
    }


def _sources(solver: Solver) -> list[str]:
    """Distinct sources as the model reads them, 200 if there are as many: of a task that works in steps, its questions;
    of a text, some characters."""
    rng = np.random.default_rng(0)
    model = solver.model(solver.codec)
    if not model.answers:
        known = [each for each in solver.codec.characters if each != PAD]
        lengths = rng.integers(cast(CharacterModel, model).fewest, model.source_length + 1, CHECKED)
        return ["".join(rng.choice(known, length)) for length in lengths]
    pairs = solver.task.sample(CHECKED, rng)
    steps = stepwise(solver.task)
    if steps is not None:
        pairs = steps.steps_of(pairs)
    return [*dict.fromkeys(source.strip(PAD) for source in pairs.sources.tolist())][:CHECKED]


def _working(solver: Solver) -> dict[str, Any] | None:
    """How a task that works in steps gets an answer from the model's answers, by an example; None for other tasks."""
    task = stepwise(solver.task)
    if task is None:
        return None
    asked: list[list[str]] = []

    def ask(questions: list[str]) -> list[Answer]:
        answers = [_found(solver, question, beam=False)[0] for question in questions]
        asked.extend([question, answer.text] for question, answer in zip(questions, answers))
        return answers

    [worked] = work_out(task, ask, [solver.prepare(solver.example)])
    answer = None if isinstance(worked.answer, SourceError) else worked.answer.text
    return {"source": solver.example, "asked": asked, "answer": answer}


def _found(solver: Solver, source: str, beam: bool) -> list[Answer]:
    """The answers to a source, without what the task makes of them: the greedy one, then with `beam` those of
    a search."""
    if isinstance(solver, Writer):
        return solver.expected(solver.codec.alphabet.show_source(source))[::-1]  # after the whole source first
    codec = solver.codec.fitting(source)
    ids = codec.encode_sources([source])
    answers = solver.predictor(1, codec, beam=1).answer(ids)
    texts = [*codec.decode_targets(answers.ids)]
    confidences = [*answers.confidence]
    if beam:
        best = solver.predictor(1, codec, beam=min(BEAM, len(codec.vocabulary))).search(ids)
        texts += codec.decode_targets(best.ids[0])
        confidences += [*probability(best.scores[0])]
    return [Answer(text, float(confidence)) for text, confidence in zip(texts, confidences)]


def _compare(folder: Path, sources: list[str], expected: list[list[Answer]], task: Task, beam: bool) -> None:
    """Raise `Seq2SeqError` unless the graphs in a folder give the expected answers."""
    exported = Solver(folder, task=task, engine="onnx")
    for source, answers in zip(sources, expected):
        found = _found(exported, source, beam)
        if found[0].text != answers[0].text or not all(map(_agree, found, answers)):
            raise Seq2SeqError(
                f"export: nothing is written: to {short(source)} ONNX Runtime answers {found}, and MXNet {answers}"
            )
        if exported.predictor(1).searches:
            by_parts = _by_parts(exported, source)
            if by_parts.text != answers[0].text or not _agree(by_parts, answers[0]):
                raise Seq2SeqError(
                    f"export: nothing is written: to {short(source)} the parts of a search answer {by_parts}, and "
                    f"MXNet {answers[0]}"
                )


def _agree(found: Answer, expected: Answer) -> bool:
    """Whether two answers of the same rank are the same, or about equally probable."""
    difference = abs(found.confidence - expected.confidence)
    return difference <= CLOSE and (found.text == expected.text or difference <= TIED * expected.confidence)


def _by_parts(exported: Solver, source: str) -> Answer:
    """The greedy answer by the parts of a search."""
    graphs = exported._graphs
    assert graphs is not None
    codec = exported.codec.fitting(source)
    pad = codec.vocabulary.pad
    names = [output.name for output in graphs.encoder.get_outputs()]
    values = dict(zip(names, graphs.encoder.run(names, {"source": codec.encode_sources([source]).astype(np.int64)})))
    [length] = values.pop("target_length")
    wanted = [output.name for output in graphs.decoder.get_outputs()]
    written = [len(codec.vocabulary)]
    score = 0.0
    while len(written) <= length and written[-1] != pad:
        found = dict(zip(wanted, graphs.decoder.run(wanted, {"previous": np.array(written[-1:]), **values})))
        written.append(int(found["log_probabilities"].argmax()))
        score += float(found["log_probabilities"].max())
        values.update({name: found[f"{name}_after"] for name in values if f"{name}_after" in found})
    return Answer(codec.decode_targets(np.array([written[1:]]))[0], float(np.exp(score)))
