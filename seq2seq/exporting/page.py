"""The folder of a static page: the page of `seq2seq serve` for one run, which the browser itself answers.

| file | contents |
|---|---|
| `index.html`, `page/` | the page, whose `page/engine.js` is `engine-onnx.js` of `seq2seq/web/page/` |
| `model.onnx`, `export.json` | as in an export to ONNX, with what the page needs besides under `page` |
| `encoder.onnx`, `decoder.onnx` | for `attention`: they say where each step looked |
| `runtime/` | ONNX Runtime for the browser: see `runtime.py` |
| `README.md`, `LICENSES.txt` | how to put it on a server; whose the parts are |
"""

from __future__ import annotations

import json
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

from seq2seq.errors import UsageError
from seq2seq.exporting.folder import new_folder
from seq2seq.exporting.marks import form_of, marks_of
from seq2seq.exporting.onnx import export_onnx
from seq2seq.exporting.rule import HEAD, rule_of
from seq2seq.exporting.runtime import PACKAGE, VERSION, runtime_files
from seq2seq.folders import EXPORT
from seq2seq.places import PathLike
from seq2seq.solver import Solver
from seq2seq.tasks import Task
from seq2seq.tasks.arithmetic import Arithmetic
from seq2seq.tasks.pronunciation import Pronunciation
from seq2seq.tasks.roman import Roman

GRAPHS = ("model.onnx", "encoder.onnx", "decoder.onnx")
SERVED = ("engine.js", "index.html")  # files of the page that are others here
# How the page reads a source, by the method that does so in Python. A task with another method cannot be shown.
READS: dict[Any, dict[str, Any]] = {
    Task.normalise: {},
    Arithmetic.normalise: {"squeezed": True},
    Pronunciation.normalise: {"turned": "lower"},
    Roman.normalise: {"turned": "upper"},
}
FINALS = {Task.final: False, Arithmetic.final: True}  # whether the answer is what follows the last `=`
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
FIRST = '<meta charset="utf-8">'
EMPTY = "<noscript>This page needs JavaScript.</noscript>"
BEFORE = "<p>This page needs JavaScript, and a web server such as that of <code>python -m http.server</code>.</p>"
README = """\
# {name}

A page on which to ask the run `{name}` ({task}, {model}). The network answers in the browser, so any server that sends
files will do, and nothing that is typed leaves the browser. Try it here:

```sh
python -m http.server --bind 127.0.0.1
```

Then open <http://127.0.0.1:8000/>. It does not work as a file, since browsers load no modules from files. The server
has to send `.mjs` files as `text/javascript`, and may compress all of them. `export.json` has the SHA-256 of the
networks. `LICENSES.txt` says whose the parts are.
"""
LICENSES = f"""\
index.html, page/: from seq2seq, under the Apache License, Version 2.0 (https://www.apache.org/licenses/LICENSE-2.0).

runtime/: from the npm package {PACKAGE}, ONNX Runtime (https://github.com/microsoft/onnxruntime), under the licence
below. The notices of the software that is in it are in its file ThirdPartyNotices.txt
(https://github.com/microsoft/onnxruntime/blob/v{VERSION}/ThirdPartyNotices.txt).

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def export_page(solver: Solver, folder: PathLike, runtime: PathLike | None = None) -> int:
    """Write the folder: see `export` for the parameters and the errors. Returns the number of compared sources."""
    about = _about(solver)
    runtime_by_name = runtime_files(runtime)
    with tempfile.TemporaryDirectory() as temporary:
        exported = Path(temporary) / "onnx"
        compared = export_onnx(solver, exported, beam=False)
        graphs = {name: (exported / name).read_bytes() for name in GRAPHS if (exported / name).exists()}
        properties = json.loads((exported / EXPORT).read_bytes())
    about["searches"] = len(graphs) > 1
    properties = {**properties, "page": about, "files": {name: properties["files"][name] for name in graphs}}
    files = {
        **_page(),
        **{f"runtime/{name}": content for name, content in runtime_by_name.items()},
        **graphs,
        EXPORT: json.dumps(properties, ensure_ascii=False).encode() + b"\n",
        "README.md": README.format(name=about["name"], **properties).encode(),
        "LICENSES.txt": LICENSES.encode(),
    }
    with new_folder("page", folder) as made:
        for name, content in files.items():
            (made / name).parent.mkdir(exist_ok=True)
            (made / name).write_bytes(content)
    return compared


def _about(solver: Solver) -> dict[str, Any]:
    """What the page needs besides the properties of an export. Raises `UsageError` if it cannot show the run."""
    task = solver.task
    if solver.application.name != "answering":
        raise UsageError(f"page: {solver.shown}: a static page answers sources, and this run goes on with a text")
    reads = READS.get(type(task).normalise)
    rule = rule_of(task)
    if reads is None or type(task).final not in FINALS or (task.stepwise and (rule is None or rule["kind"] != HEAD)):
        raise UsageError(
            f"page: {solver.shown}: the task {task.name} has code of its own, which a static page cannot run; "
            "seq2seq serve shows it"
        )
    return {
        "name": solver.run.path.name or "run",
        "example": solver.example,
        "padding": solver.codec.padding,
        "final": FINALS[type(task).final],
        "marks": marks_of(solver),
        **reads,
        **(form_of(task) if isinstance(task, Arithmetic) else {}),
    }


def _page() -> dict[str, bytes]:
    """The files of the page by their paths in the folder."""
    source = resources.files("seq2seq.web").joinpath("page")
    index = source.joinpath("index.html").read_text(encoding="utf-8")
    assert index.count(FIRST) == index.count(EMPTY) == 1
    policy = f'{FIRST}\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    files = {"index.html": index.replace(FIRST, policy).replace(EMPTY, BEFORE).encode()}
    for file in source.iterdir():
        if file.is_file() and file.name not in SERVED:
            name = "engine.js" if file.name == "engine-onnx.js" else file.name
            files[f"page/{name}"] = file.read_bytes()
    return files
