"""Exports runs to other formats: ONNX (`onnx.py`), MXNet's own (`mxnet.py`), and a page (`page.py`).

The ONNX graphs are written node by node, with `graph.py`, from the weights: `layers.py` has recurrent and dense layers,
`reading.py` what a codec does to a source, `pairs.py` and `texts.py` the networks of `seq2seq/models/`, and
`answering.py` puts these together. `seq2seq/decoding/onnx.py` answers with them. `importing.py` makes a run folder of
graphs in MXNet's own format.
"""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq.errors import UsageError, require
from seq2seq.exporting.folder import require_new
from seq2seq.places import PathLike

if TYPE_CHECKING:
    from seq2seq.solver import Solver

__all__ = ["export"]

CHECKED = 200  # the most sources that are answered by both engines before an export to ONNX is kept


def export(
    run: PathLike | Solver,
    onnx: PathLike | None = None,
    mxnet: PathLike | None = None,
    page: PathLike | None = None,
    runtime: PathLike | None = None,
) -> int:
    """Export a run to other formats.

    A folder with graphs in ONNX is not written unless these give the same answers as the run.

    Parameters
    ----------
    run : path or Solver
        A run folder, or an open run, for example with other weights than the best.
    onnx : path, optional
        A new folder for graphs in ONNX, with padding and search. `Solver` opens it too, without MXNet.
    mxnet : path, optional
        A new folder for graphs in MXNet's own format, for `mxnet.mod.Module.load` and for programs in C.
    page : path, optional
        A new folder for a page on which a browser answers with the graph in ONNX: see `page.py`.
    runtime : path, optional
        The folder of ONNX Runtime for the browser, which a page needs; by default npm fetches it: see `runtime.py`.

    Returns
    -------
    int
        The number of sources whose answers were compared: 200, or fewer if the task has fewer. 0 without graphs in
        ONNX.

    Raises
    ------
    UsageError
        If no folder is given or one exists, or the run's model cannot be exported.
    RunError
        If the folder holds no run, or it is damaged, or a file cannot be written.
    Seq2SeqError
        If a graph gives another answer than the run.
    """
    folders = {"onnx": onnx, "mxnet": mxnet, "page": page}
    given = {option: folder for option, folder in folders.items() if folder is not None}
    require(bool(given), "onnx", onnx, "a folder, unless mxnet or page is one")
    require(runtime is None or page is not None, "runtime", runtime, "left out without page")
    for option, folder in given.items():
        require_new(option, folder)
    for (first, one), (second, other) in combinations(given.items(), 2):
        paths = [Path(os.path.realpath(each)) for each in (one, other)]
        apart = paths[0] not in (paths[1], *paths[1].parents) and paths[1] not in paths[0].parents
        require(apart, second, str(other), f"another folder than {first}, and neither inside the other")
    from seq2seq.opened import OpenedRun
    from seq2seq.solver import Solver

    solver = run if isinstance(run, OpenedRun) else Solver(run, engine="mxnet")
    if not isinstance(solver, Solver):
        raise UsageError(f"run: {solver.shown}: estimates values; only models that read strings can be exported")
    if len(solver.runs) > 1:
        raise UsageError(f"run: {solver.shown}: runs that answer together have no export; export one of them")
    if solver.engine != "mxnet":
        raise UsageError(f"run: {solver.shown}: is not one run folder, which can be exported")
    compared = 0
    if onnx is not None:
        from seq2seq.exporting.onnx import export_onnx

        compared = export_onnx(solver, onnx)
    if mxnet is not None:
        from seq2seq.exporting.mxnet import export_mxnet

        export_mxnet(solver, mxnet)
    if page is not None:
        from seq2seq.exporting.page import export_page

        compared = export_page(solver, page, runtime)
    return compared
