"""Saved outputs that a page does not give any more.

    python .ci/outputs.py [--slow] [--write] [NOTEBOOK ...]

Runs each page of nbs/ (without names: all but the benchmarks) and compares what it prints and shows as text with what is saved: numbers to two
thousandths, white space aside. Names each cell that differs, with both texts, and ends with 1 if there is one. With --slow the slow cells are run
and compared too; with --write a page in which a cell differs is saved with its new outputs, pictures among them.
"""
import json
import math
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
SLOW = r"slow|"  # a flag that is left out here without --slow
NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.I)
SECONDS = 600  # the longest that one cell may take


def left_out(cell, slow):
    "Whether a cell is not run here."
    return re.search(rf"^#\|\s*({'' if slow else SLOW}gpu|eval:\s*false)\b", cell.source, re.M)


def texts(cell):
    "What a cell prints and shows, as one text."
    said = (o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.get("outputs", []) if o.get("name") != "stderr")
    return re.sub(r"( at)? 0x[0-9a-f]{6,}", "", "\n".join(s if isinstance(s, str) else "".join(s) for s in said))


def alike(one, other):
    "Whether two texts are the same, numbers to two thousandths."
    def words(t): return re.sub(r"\s+|-{3,}", " ", NUMBER.sub("#", t)).strip()
    def numbers(t): return [float(n.replace(",", "").rstrip(".") or 0) for n in NUMBER.findall(t)]
    if words(one) != words(other): return False
    return all(math.isclose(a, b, rel_tol=2e-3, abs_tol=1e-9) for a, b in zip(numbers(one), numbers(other), strict=True))


def run(path, slow):
    "The page as it is saved and as it is now."
    saved, page = (nbformat.read(path, as_version=4) for _ in range(2))
    for c in page.cells:
        if c.cell_type == "code" and left_out(c, slow): c.source = ""
    NotebookClient(page, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
    return saved, page


def clean(outputs):
    "Outputs as a notebook keeps them: no counts, no warnings, no addresses, text in lines."
    def lines(value): return re.sub(r" at 0x[0-9a-f]{6,}", "", value).splitlines(keepends=True) if isinstance(value, str) else value
    kept = [json.loads(json.dumps(o)) for o in outputs if o.get("name") != "stderr"]
    for o in kept:
        if "execution_count" in o: o["execution_count"] = None
        if "text" in o: o["text"] = lines(o["text"])
        o.pop("transient", None)
        for kind, value in o.get("data", {}).items():
            if not kind.startswith("image/"): o["data"][kind] = lines(value)
    return kept


def written(path, page, slow):
    "Save the new outputs of those cells that had saved ones; nothing else in the file changes."
    nb = json.loads(path.read_text())
    for c, new in zip(nb["cells"], page.cells, strict=True):
        if c["cell_type"] == "code" and c["outputs"] and new.source: c["outputs"] = clean(new.outputs)
    path.write_text(json.dumps(nb, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def told(path, slow, write):
    "Print what is stale in a page; how many cells."
    try:
        saved, page = run(path, slow)
        pairs = [(i, texts(a), texts(b)) for i, (a, b) in enumerate(zip(saved.cells, page.cells, strict=True)) if b.source and b.cell_type == "code"]
        found = [(i, a, b) for i, a, b in pairs if a and not alike(a, b)]
        if found and write: written(path, page, slow)
    except Exception as e: found = [("-", "a page that runs", f"{type(e).__name__}: {str(e)[-300:]}")]
    for i, a, b in found: print(f"{path.relative_to(ROOT)} cell {i}\n  saved: {a[:600]!r}\n  now:   {b[:600]!r}", flush=True)
    return len(found)


def main(words):
    "All pages, two at a time."
    os.environ.pop("MPLBACKEND", None)  # pictures belong into the page
    slow, write = "--slow" in words, "--write" in words
    names = [w for w in words if not w.startswith("--")]
    every = (p for p in (ROOT/"nbs").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts and p.stem != "benchmark")
    pages = [Path(n).resolve() for n in names] or sorted(every)
    with ThreadPoolExecutor(int(os.environ.get("WORKERS", 2))) as pool: counts = list(pool.map(lambda p: told(p, slow, write), pages))
    print(f"{len(pages)} pages, {sum(counts)} cells with another output than the saved one")
    return int(any(counts))


if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
