"""Export a run to another format."""

from __future__ import annotations

import seq2seq
from seq2seq.cli import invocation
from seq2seq.cli.parser import Parser
from seq2seq.runs import Run


def main() -> int:
    parser = Parser(
        "Write the graphs of a run as a folder that answers without MXNet. They are compared with the run on 200 "
        "sources first, and nothing is written if an answer differs.",
        epilog=f"examples:\n  {invocation.example('export')} runs/a --onnx exported\n"
        f"  {invocation.example('solve')} --run exported '3*7+2'\n",
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help="the run folder (default: the newest under runs/)")
    parser.add_argument("--onnx", metavar="DIR", required=True, help="a new folder for graphs in ONNX")
    arguments = parser.parse_args()
    run = arguments.run or Run.newest().path
    seq2seq.export(run, onnx=arguments.onnx)
    return 0
