"""`pytest` runs every notebook as one item, the way nbdev_test does: in this process,
without the cells that settings.ini's tst_flags leave out."""
import contextlib
import io
import re
from pathlib import Path

import pytest
from fastcore.xtras import working_directory
from nbdev.config import get_config
from nbdev.test import test_nb as run_notebook

ROOT = Path(__file__).resolve().parents[1]


def pytest_collect_file(file_path, parent):
    "Every .ipynb below this folder is a test file, Jupyter's checkpoints aside."
    if file_path.suffix == ".ipynb" and ".ipynb_checkpoints" not in file_path.parts:
        return NotebookFile.from_parent(parent, path=file_path)


class NotebookFailed(Exception):
    "A cell raised; the message is its traceback as the notebook would show it."


class NotebookFile(pytest.File):
    "A notebook, with itself as its only test."
    def collect(self): yield NotebookItem.from_parent(self, name=self.path.stem)


class NotebookItem(pytest.Item):
    "All cells of one notebook, in order."
    def runtest(self):
        errors = io.StringIO()
        with working_directory(ROOT), contextlib.redirect_stderr(errors):
            passed, _ = run_notebook(self.path, skip_flags=get_config(path=ROOT).tst_flags.split(), basepath=ROOT)
        if not passed: raise NotebookFailed(re.sub(r"\x1b\[[0-9;]*m", "", errors.getvalue()))

    def repr_failure(self, excinfo):
        return str(excinfo.value) if excinfo.errisinstance(NotebookFailed) else super().repr_failure(excinfo)

    def reportinfo(self): return self.path, None, self.path.relative_to(ROOT).as_posix()
