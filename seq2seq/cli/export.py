"""Export a run to another format."""

from __future__ import annotations

import shlex

import seq2seq
from seq2seq.cli import invocation
from seq2seq.cli.parser import Parser
from seq2seq.exporting import CHECKED
from seq2seq.runs import Run


def main() -> int:
    parser = Parser(
        "Write the graphs of a run in ONNX, which answer without MXNet, or in MXNet's own format, or a page on which a "
        "browser answers. Graphs in ONNX are compared with the run on 200 sources first, and nothing is written if an "
        "answer differs.",
        epilog=f"examples:\n  {invocation.example('export')} runs/a --onnx exported\n"
        f"  {invocation.example('solve')} --run exported '3*7+2'\n",
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help="the run folder (default: the newest under runs/)")
    parser.add_argument("--onnx", metavar="DIR", help="a new folder for graphs in ONNX")
    parser.add_argument("--mxnet", metavar="DIR", help="a new folder for graphs in MXNet's own format")
    parser.add_argument("--page", metavar="DIR", help="a new folder for a page, to put on any server of files")
    parser.add_argument(
        "--runtime",
        metavar="DIR",
        help="the folder of ONNX Runtime for the browser, for --page (default: npm fetches it once)",
    )
    arguments = parser.parse_args()
    if arguments.onnx is None and arguments.mxnet is None and arguments.page is None:
        parser.error("--onnx, --mxnet or --page: name a folder")
    if arguments.runtime is not None and arguments.page is None:
        parser.error("--runtime: goes with --page")
    run = Run.newest().path if arguments.run is None else arguments.run
    seq2seq.export(run, onnx=arguments.onnx, mxnet=arguments.mxnet, page=arguments.page, runtime=arguments.runtime)
    if arguments.onnx is not None:
        print(f"wrote {arguments.onnx}, whose answers to {CHECKED} sources are those of the run")
        print(f"try: {invocation.example('solve')} --run {shlex.quote(arguments.onnx)}")
    if arguments.mxnet is not None:
        print(f"wrote {arguments.mxnet}")
    if arguments.page is not None:
        print(f"wrote {arguments.page}, whose answers to {CHECKED} sources are those of the run")
        print(f"try: python -m http.server --bind 127.0.0.1 --directory {shlex.quote(arguments.page)}")
    return 0
