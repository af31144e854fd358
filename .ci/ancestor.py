"""The public test-suite of the ancestor (open-synth-miner, `osa`), run against this package.

    python .ci/ancestor.py [FOLDER]

FOLDER holds the ancestor's `tests/*.py` (default: ../shared/ancestor/tests beside the checkout). Its files stay as they are: a copy is repaired in
a temporary folder, and its imports of `src`, `osa` and `open_synth_miner` meet modules that exist in the test process alone. Without the folder the
check is left out and says so. Ends with the numbers of cases that passed, failed, and could not be counted, each of the last with its reason.
"""
import importlib.abc
import importlib.machinery
import os
import re
import subprocess
import sys
import tempfile
import types
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLD = ("src", "osa", "open_synth_miner")  # names that the ancestor was imported by
SECONDS = 900  # the longest that the suite may take

REPAIRS = [  # pattern in the ancestor's files, what it becomes: what no market can have, and targets that have moved
    (r"(?m)^( +)(open_ = close \* .+)$", r"\1\2\n\1high, low = np.maximum(high, open_), np.minimum(low, open_)"),
    (r"""(["']_target_["']: ["'])(?:src|osa|open_synth_miner)\.(?:\w+\.)*(\w+)(["'])""", r"\1synth_miner.\2\3"),
]
UNCOUNTED = [  # pattern in a case's name or error, why it is not counted: internals, or contract.md and design.md decide otherwise
    (r"has no counterpart in synth_miner.*_[a-z]|cannot import name '_", "a private helper of the ancestor"),
    (r"has no attribute '(wandb|hf_hub_download)'|\.(wandb|hf_hub_download) has no counterpart", "it replaces an import inside the ancestor's module"),
    (r"test_config_includes_block_kwargs", "design.md: arguments of a block stand beside its name, in one schema with the YAML files"),
    (r"test_run_with_real_data_loader", "contract.md, trap: metrics of the last training batch; a list of batches has no validation part"),
]


class OldModule(types.ModuleType):
    "A module of the ancestor: every name that this package has, wherever it lives."
    __path__ = []  # so that it can have modules below it

    def __getattr__(self, name):
        import synth_miner
        if name == "_PRESETS": return list(synth_miner.PRESETS.values())
        if name.startswith("__"): raise AttributeError(name)
        if hasattr(synth_miner, name): return getattr(synth_miner, name)
        raise AttributeError(f"{self.__name__}.{name} has no counterpart in synth_miner")


class OldNames(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    "Finds modules of the ancestor, and makes them."
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in OLD: return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec): return OldModule(spec.name)

    def exec_module(self, module): pass


def pytest_configure(config):
    "Called by pytest in the test process, where this file is a plug-in."
    sys.meta_path.insert(0, OldNames())


def repaired(text):
    "A test file with candles that can be, and targets that exist."
    for pattern, new in REPAIRS: text = re.sub(pattern, new, text)
    return text


def copied(folder, into):
    "The repaired copy of the ancestor's tests."
    (into / "tests").mkdir()
    for file in sorted(folder.glob("*.py")): (into / "tests" / file.name).write_text(repaired(file.read_text(encoding="utf-8")), encoding="utf-8")
    (into / "src" / "models" / "components").mkdir(parents=True)  # what its `discover_components` is pointed at
    return into


def run_suite(folder):
    "The outcome of each case: (name, passed, first line of the error)."
    report = folder / "report.xml"
    words = [sys.executable, "-m", "pytest", "-q", "-p", "ancestor", "--continue-on-collection-errors", f"--junitxml={report}",
             "--override-ini=addopts=", "tests"]
    env = {**os.environ, "PYTHONPATH": f"{ROOT}:{Path(__file__).parent}", "OMP_NUM_THREADS": "1", "WANDB_MODE": "offline"}
    said = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    if not report.is_file(): sys.exit(said.stdout[-3000:] + said.stderr[-3000:])
    cases = []
    for case in ET.parse(report).iter("testcase"):
        wrong = next((c for c in case if c.tag in ("failure", "error", "skipped")), None)
        said_of_it = "" if wrong is None else "skipped" if wrong.tag == "skipped" else f"{wrong.get('message')} {(wrong.text or '')[-300:]}"
        cases.append((f"{case.get('classname')}.{case.get('name')}", wrong is None, said_of_it))
    return cases


def reason(name, message):
    "Why a case that did not pass is not counted; None: it is."
    if message.lower().startswith("skipped"): return "the ancestor skips it"
    return next((why for pattern, why in UNCOUNTED if re.search(pattern, f"{name}: {message}")), None)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "ancestor" / "tests"
    if (folder / "tests").is_dir(): folder = folder / "tests"
    if not any(folder.glob("test_*.py")):
        print(f"left out: {folder} has no test files of the ancestor; fetch tests/*.py of tensorlink-dev/open-synth-miner into it")
        return 0
    with tempfile.TemporaryDirectory() as temp: cases = run_suite(copied(folder, Path(temp)))
    failed = [(n, m) for n, ok, m in cases if not ok and reason(n, m) is None]
    uncounted = [(n, reason(n, m)) for n, ok, m in cases if not ok and reason(n, m)]
    for name, why in uncounted: print(f"not counted  {name}: {why}")
    for name, message in failed: print(f"FAILED       {name}: {' '.join(message.split())[:300]}")
    print(f"{sum(ok for _, ok, _ in cases)} passed, {len(failed)} failed, {len(uncounted)} not countable")
    return 1 if failed or not cases else 0


if __name__ == "__main__": sys.exit(main())
