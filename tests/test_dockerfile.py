"""The container's file installs what the README says; it is not built here."""

import re
from pathlib import Path

from tests.test_packaging import SOURCE

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETUP = (ROOT / "setup.py").read_text(encoding="utf-8")


def lines(instruction):
    """The arguments of an instruction, of each line that has it."""
    found = (line.partition(" ") for line in DOCKERFILE.splitlines())
    return [arguments for name, _, arguments in found if name == instruction]


def test_it_has_ten_lines_at_the_most():
    assert len(DOCKERFILE.splitlines()) <= 10


def test_it_installs_the_libraries_that_the_readme_names():
    [named] = re.findall(r"`apt-get install\s+([^`]+)`", README)
    [install] = [line for line in lines("RUN") if "apt-get" in line]
    packages = re.search(r"apt-get install -y --no-install-recommends ([^&]+) &&", install)[1]
    assert packages.split() == named.split() == ["libquadmath0", "libgomp1"]


def test_its_python_has_mxnet_and_its_extras_exist():
    [(image, version)] = [line.removesuffix("-slim").split(":") for line in lines("FROM")]
    assert image == "python" and f'"Programming Language :: Python :: {version}"' in SETUP
    [install] = [line for line in lines("RUN") if "pip install" in line]
    extras = re.search(r"\[(.+)\]", install)[1].split(",")
    assert extras and all(re.search(rf'^        "{extra}": ', SETUP, re.M) for extra in extras)


def test_it_runs_the_command_as_a_user_in_the_volume():
    assert lines("ENTRYPOINT") == ['["seq2seq"]'] and '"seq2seq = seq2seq.cli.main:main"' in SETUP
    [volume], [user] = lines("VOLUME"), lines("USER")
    [made] = [line for line in lines("RUN") if "useradd" in line]
    assert made == f"useradd --create-home {user} && install -d -o {user} {volume}" and user != "root"
    order = [line.split(" ")[0] for line in DOCKERFILE.splitlines()]
    assert order.index("USER") > max(place for place, name in enumerate(order) if name == "RUN")


def test_it_copies_what_the_package_is_made_of():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*" and sorted(ignored[1:]) == sorted(f"!{name}" for name in [*SOURCE, "seq2seq"])
    assert lines("COPY") == [". /source"]
