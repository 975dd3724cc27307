import io
import sys

from seq2seq.progress import Bar, Lines, Progress, progress_for_stderr

ROW = {
    "epoch": 1, "step": 5, "learning_rate": 0.1, "train_loss": 0.5, "validation_loss": 0.6,
    "validation_exact_match": 0.25, "samples_per_second": 1234.5, "seconds": 1.0,
}  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(kind, monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    progress = progress_for_stderr()
    progress.note("40 examples")
    with progress:
        assert type(progress) is kind
        progress.start(2, 80, 0)
        progress.advance(40, 0.7)
        progress.end_epoch(ROW)
        progress.show(["1+1 -> 2 ✓", "1+2 -> 4 ✗ (3)"])
        progress.end_epoch({**ROW, "epoch": 2})
    return stream.getvalue()


class Unprintable(io.StringIO):
    encoding = "ascii"


class Full(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


class Logger:
    """A stream of the user's, with what `print` needs alone."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def getvalue(self):
        return self.text


def test_any_stream_will_do_and_none(monkeypatch, capsys):
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stderr", stream)
        assert type(progress_for_stderr()) is Progress
    assert "epoch 2/2: loss" in shown(Lines, monkeypatch, Logger())
    assert "1+1 -> 2 \\u2713\n" in shown(Lines, monkeypatch, Unprintable())
    assert shown(Lines, monkeypatch, Full()) == ""
    assert capsys.readouterr().out == ""


def test_every_line_is_one_line(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    with Lines() as progress:
        progress.note("two\nlines")
        progress.show(["a\nb -> c\u2028d"])
    assert stream.getvalue().splitlines() == [r"two\nlines", r"    a\nb -> c\u2028d"]


def test_plain_lines_when_stderr_is_no_terminal(monkeypatch):
    text = shown(Lines, monkeypatch, io.StringIO())
    lines = text.splitlines()
    assert lines.pop(0) == "40 examples"
    assert lines[0].startswith("epoch 1/2: loss 0.5000, exact match 0.250, 1234 samples/s, 0:00 left")
    assert lines[1:3] == ["    1+1 -> 2 ✓", "    1+2 -> 4 ✗ (3)"]
    assert "\r" not in text


def test_of_a_text_the_loss_is_what_counts(monkeypatch, capsys):
    with Lines() as progress:
        progress.start(1, 80, 0)
        progress.end_epoch({**ROW, "validation_bits": 0.875})
    assert "loss 0.5000, validation 0.6000 (0.875 bits), 1234 samples/s" in capsys.readouterr().err


def test_a_bar_at_a_terminal(monkeypatch):
    text = shown(Bar, monkeypatch, Terminal())
    assert text.startswith("40 examples\n")
    last = text.split("\r")[-1]
    assert "epoch 2/2" in last and "loss 0.5000, exact match 0.250" in last and "left" in last and "100%" in last
    assert "samples/s" in last
    assert "1+2 -> 4 ✗ (3)\n" in text


def test_long_epochs_speak_once_a_minute(monkeypatch, capsys):
    with Lines() as progress:
        progress.start(2, 100, 0)
        monkeypatch.setattr(Lines, "SECONDS", 0.0)
        progress.advance(50, 0.25)
    assert "epoch 1/2 at 50 samples: loss 0.2500" in capsys.readouterr().err


def test_a_resumed_training_begins_where_it_was(monkeypatch, capsys):
    clock = iter([0.0, 0.0, 100.0, 10.0, 10.0, 10.0])
    monkeypatch.setattr("seq2seq.progress.time.monotonic", lambda: next(clock))
    with Lines() as progress:
        progress.start(4, 100, 250)  # at 0 s
        progress.advance(75, 0.1)  # at 100 s: a line; 25 samples in 10 s leave 125 for 50 s
    assert capsys.readouterr().err == "epoch 3/4 at 75 samples: loss 0.1000, 0:50 left\n"


def test_a_resumed_bar_begins_where_it_was(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with Bar() as progress:
        progress.start(4, 100, 250)
        assert (progress._bar.n, progress._bar.initial) == (250, 250)
        progress.advance(75, 0.1)
        assert progress._bar.n == 275 and "epoch 3/4" in progress._bar.desc
        progress.end_epoch({**ROW, "epoch": 3})
        assert progress._bar.n == 300
