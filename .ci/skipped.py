"Run the notebooks that test on real bars where they find them, and fail when one says that it skipped: under CI the bars are there."
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from execnb.nbio import read_nb
from execnb.shell import CaptureShell
from fastcore.xtras import working_directory

ROOT = Path(__file__).resolve().parents[1]


def said(notebook: Path) -> list[str]:
    "Lines that start with `skipped:` among what a notebook prints."
    nb, shell = read_nb(notebook), CaptureShell(notebook)
    with working_directory(notebook.parent): shell.run_all(nb, exc_stop=True)
    text = "".join("".join(o.get("text", "")) for cell in nb.cells for o in cell.get("outputs", []))
    return [line for line in text.splitlines() if line.startswith("skipped:")]


def alone(notebook: Path) -> list[str]:
    "The same in a process of its own, since a shell takes `__main__` for itself."
    return json.loads(subprocess.run([sys.executable, __file__, str(notebook)], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def main(folder: Path) -> int:
    "The exit status."
    asking = [f for f in sorted(folder.rglob("*.ipynb")) if "skipped: ../shared" in f.read_text(encoding="utf-8") and f.name != "house_rules.ipynb"]
    with ThreadPoolExecutor(2) as pool: found = [f"{f.relative_to(ROOT)}: {line}" for f, lines in zip(asking, pool.map(alone, asking)) for line in lines]
    print("\n".join(found) or f"{len(asking)} notebooks found their bars")
    return int(bool(found) or not asking)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if len(sys.argv) == 1: sys.exit(main(ROOT/"nbs"))
    print(json.dumps(said(Path(sys.argv[1]))))
