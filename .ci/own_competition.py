"""The tutorial of an own competition holds, and fails when one of the subnet's numbers is written into the code again.

Works on a copy of the package in a temporary folder: `python .ci/own_competition.py`.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = "nbs/tutorials/own_competition.ipynb"
FAULTS = {  # module -> what stands there, and the literal that is put back
    "publish/serve.py": ("s.step or rules.price_step", "s.step or 60"),
    "evaluate/replay.py": ("i * c.prompt_period", "i * 300"),
    "model/forecaster.py": ("competition=forecaster.competition.to_dict()", "competition=forecaster.competition.name"),
}


def runs(package: Path) -> bool:
    "Whether the page runs with this copy of the package."
    command = ["nbdev_test", "--path", str(ROOT / PAGE), "--flags", "slow", "--n_workers", "1"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(package)}, capture_output=True, text=True)
    print((done.stdout + done.stderr)[-1500:])
    return done.returncode == 0


def with_fault(module: str, good: str, bad: str) -> Path:
    "A copy of the package with a fault in one module."
    folder = Path(tempfile.mkdtemp())
    shutil.copytree(ROOT / "synth_miner", folder / "synth_miner")
    file = folder / "synth_miner" / module
    text = file.read_text(encoding="utf-8")
    if good not in text: sys.exit(f"{module} no longer has {good!r}: this check needs a new fault")
    file.write_text(text.replace(good, bad), encoding="utf-8")
    return folder


if __name__ == "__main__":
    for module, (good, bad) in FAULTS.items():
        package = with_fault(module, good, bad)
        passed = runs(package)
        shutil.rmtree(package)
        if passed: sys.exit(f"{PAGE} passes although {module} says {bad!r} instead of {good!r}")
