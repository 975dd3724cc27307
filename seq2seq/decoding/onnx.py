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

from seq2seq.archives import exists, read
from seq2seq.decoding.base import Answers, Best, Predictor, probability
from seq2seq.decoding.writing import BaseReader
from seq2seq.errors import RunError, Seq2SeqError, UsageError, require
from seq2seq.files import parse_json, shown
from seq2seq.folders import CONFIG, EXPORT
from seq2seq.lazy import cached_property
from seq2seq.models import CharacterModel, Model
from seq2seq.mx import is_installed
from seq2seq.runs import ENGINES, MOST_CONFIG, WEIGHTS, Run
from seq2seq.typing import Array
from seq2seq.vocabulary import AlignedCodec, Codec

FORMAT = 1
HELD = "onnx"  # the subfolder of a run folder that can hold an export of the run
MOST_JSON = 2**24  # bytes
MOST_GRAPH = 2**31


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
        self._folder = folder
        try:
            self._properties = parse_json(self._read(EXPORT, MOST_JSON))
        except ValueError as error:
            raise RunError(f"{shown(folder / EXPORT)}: is damaged: not JSON: {error}") from None
        properties = self._properties
        if not isinstance(properties, dict) or properties.get("format") != FORMAT:
            raise RunError(f"{shown(folder / EXPORT)}: is not an export of this version (format {FORMAT})")
        files: Any = properties.get("files")
        if not isinstance(files, dict) or not {str} >= {*map(type, files.values())} or "model.onnx" not in files:
            raise RunError(
                f"{shown(folder / EXPORT)}: is damaged: its files are no names with hashes, or none is a graph"
            )
        if CONFIG in files:
            self._verified(CONFIG, MOST_CONFIG)

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

    def _read(self, name: str, most: int) -> bytes:
        path = shown(self._folder / name)
        try:
            return read(self._folder / name, most)
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise RunError(f"{path}: {error}") from None

    def _verified(self, name: str, most: int) -> bytes:
        content = self._read(name, most)
        if hashlib.sha256(content).hexdigest() != self._properties["files"].get(name):
            raise RunError(f"{shown(self._folder / name)}: is damaged: it does not have the hash that {EXPORT} says")
        return content

    def _session(self, name: str) -> Any:
        try:
            import onnxruntime
        except ImportError as error:
            raise Seq2SeqError(
                f"engine onnx: needs the package onnxruntime ({error}): pip install 'mxseq2seq[onnx]'"
            ) from None
        content = self._verified(name, MOST_GRAPH)
        options = onnxruntime.SessionOptions()
        # A single answer is not faster with more threads, and the caller's threads can answer in parallel.
        options.intra_op_num_threads = 1
        try:
            return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common class
            said = str(error).partition("\n")[0]
            path = shown(self._folder / name)
            raise RunError(f"{path}: cannot be used by ONNX Runtime {onnxruntime.__version__}: {said}") from None


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
        raise UsageError(f"engine: mxnet needs weights, but {run.shown} is an export, which has none; use its run")
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
