"""The oldest versions that settings.ini allows do what the newest do: an environment of exactly these, and a walk through the package in it.

    python .ci/floors.py                      # a new environment in a temporary folder; some GB, ten minutes: for the night
    python .ci/floors.py --env FOLDER         # in a folder that is kept, so that a second run only corrects it
    python .ci/floors.py --with huggingface_hub==2.4.0 --with pandas==3.0.0   # one of them newer
    python .ci/floors.py --python python3.13 --newest --wheel   # what pip chooses by itself, with a wheel and another Python

A floor that is too low fails here; a floor that could be lower is not looked for.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WALK = r'''
import contextlib, io, sys, tempfile, warnings
from pathlib import Path
import synth_miner
from synth_miner.cli import main
print("Python", sys.version.split()[0])
wrong = []
def step(name, right, why=""):
    print("ok    " if right else "FAILED", name, "" if right else why, flush=True)
    if not right: wrong.append(name)
def attempt(name, f):
    try: step(name, *f())
    except BaseException as e: step(name, False, f"{type(e).__name__}: {' '.join(str(e).split())[:300]}")
def command(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err): code = main([*words, f"output_dir={folder}/outputs", "progress=false"])
    return code == 0, f"{code} {out.getvalue()[-200:]} {err.getvalue()[-300:]}"
def all_names():
    lost = []
    for name in synth_miner.__all__:
        try: getattr(synth_miner, name)
        except Exception as e: lost.append(f"{name}: {e!r}")
    return not lost, f"{len(lost)} names, the first: {lost[:1]}"
def experiment():
    found = synth_miner.quick_experiment(["grublock", "transformerblock"], "gbm", n_paths=8)
    return found["status"] == "ok", str(found)[:300]
def baselines():
    names = sorted(i.name for i in synth_miner.registry.list_parts("forecaster"))
    return command("mode=backtest", "data.source.length=3000", "data.assets=[BTC]", "backtest.max_prompts=4", "backtest.n_paths=20", f"backtest.baselines=[{','.join(names)}]")
def tracked():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with synth_miner.tracked_run("one", folder=f"{folder}/wandb", mode="offline") as run: kept = run is not None
    return kept, "; ".join(str(w.message) for w in seen)
def published():
    from synth_miner.testing.local_hub import LocalHub
    import os
    with LocalHub() as hub:
        os.environ.update(HF_TOKEN=hub.token, HF_HUB_DISABLE_XET="1")
        right, said = command("mode=publish", f"run={run()}", "publish.repo_id=me/models", f"publish.endpoint={hub.url}")
        return right and "me/models" in hub.repos, said
def run(): return next(Path(folder, "outputs").glob("2*/model.safetensors")).parent
def table():
    import pandas as pd
    bars = synth_miner.MockDataSource(2000, "1min").load_data(["BTC"])[0].frame
    Path(folder, "bars").mkdir()
    bars.to_csv(f"{folder}/bars/BTC.csv")
    bars.to_parquet(f"{folder}/bars/ETH.parquet")
    return command("mode=data", "data=parquet", f"data.path={folder}/bars", "data.action=check", "data.assets=[BTC,ETH]")
def service():
    import requests
    bars = synth_miner.MockDataSource(3000, "1min").load_data(["BTC"])[0]
    with synth_miner.serving(synth_miner.SynthPredictor({"BTC": bars}, models="ewma_fhs")) as url:
        answer = requests.get(f"{url}/health", timeout=30)
    return answer.status_code in (200, 503), answer.text[:200]
small = ("model=gbm data.source.length=4000 data.assets=[BTC] training.epochs=1 training.steps_per_epoch=3 training.n_paths=8 "
         "training.val_windows=8 backtest.max_prompts=8 backtest.n_paths=20").split()
with tempfile.TemporaryDirectory() as folder:
    attempt("every public name", all_names)
    attempt("a quick experiment", experiment)
    attempt("bars from CSV and parquet", table)
    attempt("train, backtest, report", lambda: command(*small))
    attempt("every baseline", baselines)
    attempt("the run answers a prompt", lambda: command("mode=predict", f"run={run()}", "data.source.length=4000", "backtest.n_paths=20"))
    attempt("the run is published", published)
    attempt("the list of runs", lambda: command("mode=runs"))
    attempt("a tracked run, offline", tracked)
    attempt("the widget pages", lambda: (bool(synth_miner.TrainingPage(f"{folder}/outputs")), ""))
    attempt("the service", service)
sys.exit(int(bool(wrong)))
'''


def floors() -> list[str]:
    "The requirements of settings.ini, each at its oldest version."
    c = ConfigParser(delimiters=["="])
    c.read(ROOT/"settings.ini")
    asked = c["DEFAULT"]["requirements"].split()
    pinned = [re.sub(r"^([\w.-]+)>=([\w.]+).*$", r"\1==\2", r) for r in asked]
    if loose := [r for r in pinned if "==" not in r]: sys.exit(f"settings.ini: without an oldest version: {loose}")
    return pinned


def replaced(pins: list[str], newer: list[str]) -> list[str]:
    "The pins, those of some packages exchanged."
    names = {r.split("==")[0].lower().replace("-", "_") for r in newer}
    return [p for p in pins if p.split("==")[0].lower().replace("-", "_") not in names] + newer


def environment(folder: Path, python: str, pins: list[str]) -> Path:
    "The interpreter of an environment that has the pins."
    if not (folder/"bin"/"python").exists(): subprocess.run([python, "-m", "venv", str(folder)], check=True)
    own = folder/"bin"/"python"
    if pins: subprocess.run([str(own), "-m", "pip", "install", "--quiet", *pins], check=True, env={**os.environ, "PIP_CONSTRAINT": ""})
    return own


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--env", type=Path)
    ask.add_argument("--python", default=sys.executable)
    ask.add_argument("--with", dest="newer", action="append", default=[])
    ask.add_argument("--newest", action="store_true")
    ask.add_argument("--wheel", action="store_true")
    ask = ask.parse_args()
    with tempfile.TemporaryDirectory() as temp:
        own = environment((ask.env or Path(temp)/"env").absolute(), ask.python, [] if ask.newest else replaced(floors(), ask.newer))
        where = {"PYTHONPATH": str(ROOT)}
        if ask.newest or ask.wheel:
            subprocess.run([str(own), "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", temp, str(ROOT)], check=True)
            wheel = next(Path(temp).glob("synth_miner-*.whl"))
            subprocess.run([str(own), "-m", "pip", "install", "--quiet", *([] if ask.newest else ["--no-deps"]), str(wheel), *ask.newer], check=True)
            where = {}
        keep = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "MPLBACKEND")}
        return subprocess.run([str(own), "-W", "ignore", "-c", WALK], cwd=temp, env={**keep, **where, "WANDB_SILENT": "true", "WANDB_MODE": "offline"}).returncode


if __name__ == "__main__": sys.exit(main())
