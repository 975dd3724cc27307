"""The options that open a run, or several as an ensemble."""

from __future__ import annotations

from typing import Any

import seq2seq
from seq2seq.cli.parser import Parser
from seq2seq.runs import ENGINES, Run


def add_run_options(parser: Parser) -> None:
    """Add `--run`, `--beam` and `--engine`."""
    parser.add_argument(
        "--run",
        metavar="DIR",
        action="append",
        help="the run folder, or a packed run (default: the newest under runs/); given several times, the runs answer "
        "together",
    )
    parser.add_argument(
        "--beam",
        type=int,
        metavar="K",
        help="keep the K most probable beginnings of an answer, with an attention run (default: as the run says)",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="auto",
        help="what answers: mxnet, or onnx from an export, which needs no MXNet (default: auto, mxnet where it can)",
    )


def add_license(parser: Parser) -> None:
    """Add `--license`, of a model card."""
    parser.add_argument(
        "--license",
        metavar="NAME",
        help="the licence on the model card, as the Hugging Face Hub names it, such as mit (default: unknown)",
    )


def open_run(arguments: Any) -> seq2seq.Solver:
    """Open the run, or the ensemble, of these arguments."""
    runs = arguments.run or [Run.newest().path]
    return seq2seq.Solver(
        runs[0] if len(runs) == 1 else runs, device=arguments.device, beam=arguments.beam, engine=arguments.engine
    )
