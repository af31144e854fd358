"""Runs the small inputs that once failed, one script a case, and says which are right.

    python .ci/cases.py FOLDER [NAME ...] [--but NAME ...] [--jobs N]

A name is the first letters of a script, like `t04`. The scripts run as they are, in a copy of their folder; only an import of a name that has
moved since is led to its new place.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}  # a notebook chooses its own backend
SECONDS = 1500  # the longest that one case may take; the longest took 600 on two idle cores
MOVED = {  # imported from the top level -> the module that has it now
    "LocalServer": "synth_miner.testing.local_server",
    "LocalHub": "synth_miner.testing.local_hub",
    "html_table": "synth_miner.tables",
}
RENAMED = {  # the text of an import -> the text that means the same now
    "import synth_miner.train.store as store": "import synth_miner.lab.store as store",
}


def mapped(text):
    "The script with the imports of moved names led to their modules."
    for old, new in RENAMED.items():
        text = text.replace(old, new)

    def split(match):
        names = [n.strip() for n in match[2].split(",")]
        lines = [f"from {MOVED[n]} import {n}" for n in names if n in MOVED]
        stay = [n for n in names if n not in MOVED]
        return match[1] + "; ".join(lines + ([f"from synth_miner import {', '.join(stay)}"] if stay else []))

    return re.sub(r"^([ \t]*)from synth_miner import ([\w, ]+?)[ \t]*$", split, text, flags=re.M)


ENV = {**ENVIRONMENT, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
FINISHED = re.compile(r"argv\[1\]: (?:folder of a )?finished small run")  # what a script's docstring says of its argument
WORDS = {"t04_http_load.py": [["body"], ["slow"], ["starve"], ["thousand"], ["big", "2"]]}  # scripts that do one thing a run
SMALL = """import glob, sys
from common import SMALL, cli, tail
r = cli(*SMALL, "output_dir=finished", "training.ema=0.9")
if r.returncode: sys.exit(tail(r))
"""


def finished_run(folder):
    "A small run that was trained once, for the scripts that need one."
    subprocess.run([sys.executable, "-c", SMALL], cwd=folder, env=ENV, check=True, stdin=subprocess.DEVNULL)
    return next((folder / "finished").glob("2*/metrics.json")).parent


def run(script, words=()):
    "What was run: script and words; exit code, seconds and output."
    env = ENV
    start = time.monotonic()
    try:
        r = subprocess.run([sys.executable, script.name, *map(str, words)], cwd=script.parent, env=env, capture_output=True, text=True, timeout=SECONDS,
                           stdin=subprocess.DEVNULL)
        code, text = r.returncode, r.stdout + r.stderr
    except subprocess.TimeoutExpired as e:
        code, text = 124, f"took longer than {SECONDS} s\n{e.stdout or ''}"
    return script, words, code, time.monotonic() - start, text


def chosen(folder, names, but):
    "The scripts of a folder that were asked for."
    scripts = [s for s in sorted(folder.glob("t*.py")) if not names or s.name.startswith(tuple(names))]
    return [s for s in scripts if not (but and s.name.startswith(tuple(but)))]


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("folder", type=Path)
    ask.add_argument("names", nargs="*")
    ask.add_argument("--but", nargs="*", default=[])
    ask.add_argument("--jobs", type=int, default=1)
    ask = ask.parse_args()
    with tempfile.TemporaryDirectory() as temp:
        copy = Path(temp) / ask.folder.resolve().name
        shutil.copytree(ask.folder.resolve(), copy)
        for script in copy.glob("*.py"):
            script.write_text(mapped(script.read_text()))
        scripts = chosen(copy, ask.names, ask.but)
        wrong = 0
        needy = {s for s in scripts if FINISHED.search(s.read_text())}
        finished = [finished_run(copy)] if needy else []
        with ThreadPoolExecutor(ask.jobs) as pool:
            runs = [(s, words) for s in scripts for words in WORDS.get(s.name, [finished if s in needy else []])]
            for script, words, code, seconds, text in pool.map(lambda r: run(*r), runs):
                more = " ".join(words) if script.name in WORDS else ""
                print(f"{'right' if code == 0 else 'WRONG'} {seconds:5.0f} s  {script.name} {more}".rstrip(), flush=True)
                if code:
                    wrong += 1
                    print("\n".join(f"  | {line[:300]}" for line in text.strip().splitlines()[-25:]), flush=True)
    print(f"{len(runs) - wrong} right, {wrong} wrong")
    return 1 if wrong or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
