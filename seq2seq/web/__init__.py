"""A page on which to ask trained runs: `seq2seq serve`.

`app.py` is a WSGI callable, so any WSGI server can run it, and tests need no socket. `server.py` runs it with waitress,
on this machine alone. `guard.py` refuses what does not come from its own page. The page itself, in `page/`, is
HTML, CSS and ES modules, as they are read by a browser: nothing is built, and nothing is loaded from elsewhere. Its
`engine.js` asks the server; on a static page (`seq2seq/exporting/page.py`) `engine-onnx.js` answers in its place.

MXNet has one user at a time, so one thread opens the runs and answers (`worker.py`, `asking.py`). What is read from
files alone (`watching.py`) is read where it is asked for.
"""
