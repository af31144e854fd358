"""Names notebook, cell and line of each syntax error in nbs/, which nbdev_export reports without saying where it is.

`python .ci/syntax.py [NOTEBOOK ...]`; without names, all of them. Cells with a shell magic (`%%bash`) are left out.
"""
import ast
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def errors(file: Path) -> list[str]:
    "A sentence for each cell of a notebook that is not Python."
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError) as e:
        return [f"{file}: not a notebook ({e})"]
    found = []
    for i, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or source.lstrip().startswith("%%"):
            continue
        try:
            ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.M))
        except SyntaxError as e:
            line = (e.text or "").rstrip()
            found.append(f"{file}: cell {i} (id {cell.get('id', 'none')}), line {e.lineno}: {e.msg}\n    {line}")
    return found


def main(names: list[str]) -> int:
    "Print what is wrong; the exit status."
    files = [Path(n) for n in names] or [f for f in sorted((ROOT/"nbs").rglob("*.ipynb")) if ".ipynb_checkpoints" not in f.parts]
    found = [e for f in files for e in errors(f)]
    print("\n".join(found) or f"{len(files)} notebooks, no syntax error")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
