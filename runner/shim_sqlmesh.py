"""Runs SQLMesh's commands for the shim, each as SQLMesh's own command line does."""

import importlib
import logging
import os
import re
import sys
import traceback

FAILED = 1
KEPT_CHARACTERS = 16 * 1024


def load():
    """Imports SQLMesh and returns what runs its steps."""
    os.environ.update(
        {
            # SQLMesh reads these when it is imported.
            "HOME": "/tmp",
            "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true",
            # Text that is no terminal's would be broken into lines of 80 characters.
            "COLUMNS": os.environ.get("COLUMNS", "160"),
        }
    )
    return Sqlmesh(importlib.import_module("sqlmesh.cli.main").cli)


class Sqlmesh:
    def __init__(self, cli):
        self._cli = cli

    def warm(self, _options):
        """It keeps nothing of a project that could serve a step to come."""
        return False

    def prepare(self, _changed):
        pass

    def run(self, step, _emit):
        """Returns (exit code, error text or None)."""
        return run_step(self._cli, step["argv"])


def run_step(cli, argv):
    forget_log_files()
    heard = Heard(sys.stdout)
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = heard
    try:
        # The folder that SQLMesh takes unless told is the one it was imported in.
        exit_code = run_cli(cli, ["--paths", os.getcwd(), *argv])
    finally:
        sys.stdout, sys.stderr = streams
    return exit_code, None if exit_code == 0 else what_went_wrong(heard.end, exit_code)


def run_cli(cli, argv):
    """Returns the command's exit code. Whatever it raises is in the log then, as at a terminal."""
    try:
        cli.main(argv, prog_name="sqlmesh")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else FAILED
    except KeyboardInterrupt:
        raise
    except BaseException:
        traceback.print_exc()
        return FAILED
    return 0


def forget_log_files():
    """Each command opens one more. They are not kept, and the log has what matters of them."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()


class Heard:
    """A stream that remembers the end of what went through it."""

    def __init__(self, stream):
        self._stream = stream
        self.end = ""

    def write(self, text):
        self.end = (self.end + text)[-KEPT_CHARACTERS:]
        return self._stream.write(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)


# Where SQLMesh begins to tell of failed models, tests and audits, or of what else is wrong.
TELLING = re.compile(r"^(?:\*\*Failed |F*FAIL: |ERROR: |Failure in |Error: |Traceback |Usage: )", re.MULTILINE)


def what_went_wrong(text, exit_code):
    """What SQLMesh itself said of it. It tells that to people only: no result, no exception comes out of a command."""
    found = TELLING.search(text)
    if found is None:
        return f"SQLMesh ended with exit code {exit_code}; the log says why."
    if found.group().startswith("Traceback "):
        return text.strip().rpartition("\n")[2]
    lines = (line.rstrip() for line in text[found.start() :].replace("**", "").splitlines())
    return "\n".join(line for line in lines if line and not re.fullmatch(r"\s*(?:```|-+)\s*", line))
