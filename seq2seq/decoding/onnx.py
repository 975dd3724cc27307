"""Answers with ONNX Runtime, from the graphs of an export: see `seq2seq/exporting/`.

MXNet is not used, and need not be installed. Nothing here is locked: ONNX Runtime's sessions can be used by any number
of threads at the same time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np

from seq2seq.archives import exists
from seq2seq.decoding.base import Answers, Best, Predictor, probability
from seq2seq.decoding.properties import METADATA, ONNX, read_properties, require_same
from seq2seq.decoding.writing import BaseReader
from seq2seq.errors import RunError, Seq2SeqError, UsageError, require
from seq2seq.files import shown
from seq2seq.folders import CONFIG, EXPORT
from seq2seq.lazy import cached_property
from seq2seq.models import CharacterModel, Model
from seq2seq.mx import is_installed
from seq2seq.runs import ENGINES, WEIGHTS, Run
from seq2seq.typing import Array
from seq2seq.vocabulary import AlignedCodec, Codec

HELD = "onnx"  # the subfolder of a run folder that can hold an export of the run


class Graphs:
    """The graphs of an export.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    RunError
        If the export is damaged or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self._run = Run(folder)
        self._properties = read_properties(self._run, ONNX)
        if CONFIG in self._properties["files"]:
            self._verified(CONFIG)

    @cached_property
    def model(self) -> Any:
        """The session of the graph that answers."""
        return self._session("model.onnx")

    @cached_property
    def beam(self) -> Any:
        """The session of the graph that answers by a beam search."""
        return self._session("beam.onnx")

    @cached_property
    def encoder(self) -> Any:
        """The session of the graph of a search's first step."""
        return self._session("encoder.onnx")

    @cached_property
    def decoder(self) -> Any:
        """The session of the graph of each step of a search."""
        return self._session("decoder.onnx")

    @property
    def searches(self) -> bool:
        """Whether there is a graph that searches, and its parts."""
        return "decoder.onnx" in self._properties["files"]

    def _verified(self, name: str) -> bytes:
        content = self._run.content(name)
        if hashlib.sha256(content).hexdigest() != self._properties["files"].get(name):
            raise RunError(f"{self._named(name)}: is damaged: it does not have the hash that {EXPORT} says")
        return content

    def _named(self, name: str) -> str:
        return shown(self._run.path / name)

    def _session(self, name: str) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise Seq2SeqError(
                f"engine onnx: needs the package onnxruntime ({error}): pip install 'mxseq2seq[onnx]'"
            ) from None
        content = self._verified(name)
        options = onnxruntime.SessionOptions()
        # A single answer is not faster with more threads, and the caller's threads can answer in parallel.
        options.intra_op_num_threads = 1
        try:
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common class
            said = str(error).partition("\n")[0]
            problem = f"cannot be used by ONNX Runtime {onnxruntime.__version__}: {said}"
            raise RunError(f"{self._named(name)}: {problem}") from None
        metadata = session.get_modelmeta().custom_metadata_map.get(METADATA, "")
        require_same(self._run, self._properties, name, metadata)
        return session


def graphs_for(run: Run, engine: str) -> Graphs | None:
    """The graphs with which a run folder or an export is to answer, or None if MXNet is.

    Parameters
    ----------
    run : Run
        A run folder, which may hold an export in its subfolder `onnx`, or the folder of an export.
    engine : str
        `mxnet`; `onnx`; or `auto`: MXNet if it is installed and the folder has weights, else ONNX Runtime if there is
        an export.

    Returns
    -------
    Graphs or None

    Raises
    ------
    UsageError
        If the engine is not one of these, or there is no export for it.
    RunError
        If the export is damaged.
    """
    require(engine in ENGINES, "engine", engine, f"one of {', '.join(ENGINES)}")
    found = next((folder for folder in (run.path, run.path / HELD) if exists(folder / EXPORT)), None)
    if engine == "onnx" and found is None:
        raise UsageError(f"engine: got 'onnx', but {run.shown} has no export; make one with seq2seq export")
    has_weights = any(exists(run.path / name) for name in WEIGHTS.values())
    if engine == "mxnet" and found == run.path and not has_weights:
        problem = "is an export, which answers by onnx alone; name the run that it was made from"
        raise UsageError(f"run: {run.shown} {problem}")
    if found is None and not has_weights and exists(run.path / "model.onnx"):
        raise RunError(f"{shown(run.path / EXPORT)}: is missing, and without it the graphs cannot be used")
    if found is None or engine == "mxnet" or (engine == "auto" and has_weights and is_installed()):
        return None
    return Graphs(found)


class OnnxPredictor(Predictor):
    """Answers with the graph `model`, or by a beam search with the graph `beam`.

    Parameters
    ----------
    graphs : Graphs
    model : Model
    codec : Codec
        With which the sources are encoded.
    batch_size, beam : int
        As in `SearchPredictor`.
    """

    def __init__(self, graphs: Graphs, model: Model, codec: Codec, batch_size: int, beam: int = 1) -> None:
        self.model = model
        self.batch_size = batch_size
        self.searches = graphs.searches
        self.beam = beam
        self._graphs = graphs
        self._codec = codec

    def answer(self, sources: Array, targets: Array | None = None) -> Answers:
        if targets is not None:
            raise UsageError("engine: onnx scores no targets; use mxnet")
        if self.beam > 1:
            best = self.search(sources)
            return Answers(best.ids[:, 0], probability(best.scores[:, 0]))
        ids = np.full((len(sources), self.model.target_length), self.model.pad, np.int32)
        scores = np.empty(len(sources), np.float32)
        for rows in self._batches(sources):
            found, scores[rows] = self._graphs.model.run(["ids", "score"], self._fed(sources[rows]))
            ids[rows, : found.shape[1]] = found
        return Answers(ids, probability(scores))

    def search(self, sources: Array) -> Best:
        ids = np.full((len(sources), self.beam, self.model.target_length), self.model.pad, np.int32)
        scores = np.empty((len(sources), self.beam), np.float32)
        for rows in self._batches(sources):
            feed = {**self._fed(sources[rows]), "beam": np.array([self.beam])}
            found, scores[rows] = self._graphs.beam.run(["ids", "score"], feed)
            ids[rows, :, : found.shape[2]] = found
        return Best(ids, scores)

    def _batches(self, sources: Array) -> Iterable[slice]:
        return (slice(start, start + self.batch_size) for start in range(0, len(sources), self.batch_size))

    def _fed(self, sources: Array) -> dict[str, Array]:
        """The input of the graph; sources that were encoded place by place are written out again."""
        if isinstance(self._codec, AlignedCodec):
            written = self._codec.read_sources(sources)
            sources = self._codec.vocabulary.encode(written, sources.shape[1])
        return {"source": sources.astype(np.int64)}


class OnnxReader(BaseReader):
    """Reads a text with ONNX Runtime.

    Parameters
    ----------
    graphs : Graphs
    model : CharacterModel
    """

    def __init__(self, graphs: Graphs, model: CharacterModel) -> None:
        self._graphs = graphs
        self._model = model
        self._states = {name: np.zeros(shape, np.float32) for name, shape in model.state_shapes(1).items()}
        self._recent: list[int] = []

    def read(self, ids: Iterable[int]) -> Array:
        self._recent = [*self._recent, *ids]
        if not self._states:
            self._recent = self._recent[-self._model.source_length :]
        feed = {"source": np.array([self._recent], np.int64), **self._states}
        if self._states:
            self._recent = []
        found, *after = self._graphs.model.run(None, feed)
        self._states = dict(zip(self._states, after))
        following = cast(Array, found[0])
        following[self._model.pad] = -np.inf
        return following
