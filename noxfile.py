"""The tests on every supported Python that is found here: `pip install nox && nox`."""

import nox

nox.options.error_on_missing_interpreters = False


@nox.session(python=["3.9", "3.10", "3.11", "3.12"])
def tests(session: nox.Session) -> None:
    session.install(".[test]")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("python", "-m", "pytest", *session.posargs)
