"""Make README.md from nbs/index.ipynb without running anything; pictures among its outputs go to nbs/images/.

`python .ci/readme.py` writes, `--check` only compares and fails with the difference.
"""
import base64
import difflib
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 200_000  # bytes a picture


def moved(target: str) -> str:
    "A link of nbs/index.ipynb as it must read one folder up."
    if re.match(r"[a-z]+:|#", target): return target
    path, mark, anchor = target.partition("#")
    new = f"nbs/{path}"
    if not (ROOT/new).exists() and not new.startswith("nbs/images/index-"): sys.exit(f"README: the link to {target} leads nowhere")
    return new if path.endswith(".ipynb") else new + mark + anchor  # GitHub's view of a notebook has no anchors


def prose(text: str) -> str:
    "Markdown with links moved, outside fenced code, and Quarto's callouts as quotes."
    parts = re.split(r"(^```.*?^```$)", text, flags=re.M | re.S)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"(\]\()([^)\s]+)(\))", lambda m: m[1] + moved(m[2]) + m[3], parts[i])
        parts[i] = re.sub(r"::: ?\{\.callout-(\w+)[^}]*\}\n(.*?)\n:::", lambda m: f"> [!{m[1].upper()}]\n" + re.sub("^", "> ", m[2].strip(), flags=re.M), parts[i], flags=re.S)
    return "".join(parts)


def shown(output: dict, name: str, alt: str, pictures: dict) -> str:
    "Markdown of one saved output: a picture, Markdown or text."
    data = output.get("data", {})
    if png := data.get("image/png"):
        pictures[f"nbs/images/{name}.png"] = base64.b64decode("".join(png))
        return f"![{alt}](nbs/images/{name}.png)"
    if "text/markdown" in data: return prose("".join(data["text/markdown"]))
    text = "".join(output.get("text") or data.get("text/plain") or "").rstrip()
    return f"```text\n{text}\n```" if text else ""


def readme() -> tuple[str, dict]:
    "The text of README.md, and its pictures by path."
    cells, pictures, out = json.loads((ROOT/"nbs"/"index.ipynb").read_text(encoding="utf-8"))["cells"], {}, []
    for i, cell in enumerate(cells):
        source = "".join(cell["source"])
        options = dict(re.findall(r"^#\|\s*([\w-]+):?[ \t]*(.*)$", source, re.M))
        if "hide" in options or options.get("include") == "false": continue
        if cell["cell_type"] == "markdown": out.append(prose(source.strip())); continue
        code = re.sub(r"^#\|.*\n?", "", source, flags=re.M).strip()
        if code and options.get("echo") != "false": out.append(f"```python\n{code}\n```")
        if options.get("output") != "false": out += filter(None, [shown(o, f"index-{len(pictures) + 1}", options.get("fig-alt", "").strip("\"'"), pictures) for o in cell.get("outputs", [])])
    note = "<!-- Made from nbs/index.ipynb by .ci/readme.py. Edit the notebook. -->"
    body = re.sub(r"(^```python$(?:(?!^```).)*?)^```\n\n```python\n", r"\1\n", "\n\n".join(s for s in out if s) + "\n", flags=re.M | re.S)  # neighbours in one block
    return re.sub(r"^# .*$", lambda m: f"{m[0]}\n\n{note}", body, count=1, flags=re.M), pictures


def main(check: bool) -> int:
    "Write or compare README.md and its pictures."
    text, pictures = readme()
    if big := [k for k, v in pictures.items() if len(v) > LIMIT]: sys.exit(f"README: {big} are above {LIMIT} bytes")
    old = {f.relative_to(ROOT).as_posix(): f.read_bytes() for f in (ROOT/"nbs"/"images").glob("index-*.png")}
    now = (ROOT/"README.md").read_text(encoding="utf-8")
    if check:
        print("".join(difflib.unified_diff(now.splitlines(True), text.splitlines(True), "README.md", "nbs/index.ipynb")), end="")
        if stale := sorted(k for k in {*old, *pictures} if old.get(k) != pictures.get(k)): print(f"pictures that differ: {stale}")
        return int(now != text or bool(stale))
    (ROOT/"README.md").write_text(text, encoding="utf-8")
    for k in old.keys() - pictures.keys(): (ROOT/k).unlink()
    for k, v in pictures.items(): (ROOT/k).parent.mkdir(exist_ok=True); (ROOT/k).write_bytes(v)
    return 0


if __name__ == "__main__": sys.exit(main("--check" in sys.argv[1:]))
