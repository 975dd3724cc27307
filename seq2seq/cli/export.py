"""Export a run to another format."""

from __future__ import annotations

import shlex

import seq2seq
from seq2seq.cli import invocation
from seq2seq.cli.parser import Parser
from seq2seq.runs import Run
from seq2seq.showing import one_line


def main() -> int:
    parser = Parser(
        "Write the graphs of a run in ONNX, which answer without MXNet, or in MXNet's own format, or a page on which a "
        "browser answers. Graphs in ONNX are compared with the run on 200 sources first, or all if there are fewer, "
        "and nothing is written if an answer differs.",
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
    folders = {"onnx": arguments.onnx, "mxnet": arguments.mxnet, "page": arguments.page}
    compared = seq2seq.export(run, **folders, runtime=arguments.runtime)
    wrote = {option: f"wrote {one_line(folder)}" for option, folder in folders.items() if folder is not None}
    checked = f"whose answers to {compared} {'source' if compared == 1 else 'sources'} are those of the run"
    if arguments.onnx is not None:
        print(f"{wrote['onnx']}, {checked}")
        print(f"try: {invocation.example('solve')} --run {shlex.quote(arguments.onnx)}")
    if arguments.mxnet is not None:
        print(wrote["mxnet"])
    if arguments.page is not None:
        print(f"{wrote['page']}, {checked}")
        print(f"try: python -m http.server --bind 127.0.0.1 --directory {shlex.quote(arguments.page)}")
    return 0
