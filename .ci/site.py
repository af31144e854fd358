"""Build the docs site into _docs from processed copies of the notebooks, with Quarto where it is installed, else with smalldocs.

The copies lose the numbers of their names, as nbdev's own links expect, so both renderers give the same addresses. They gain what nbdev leaves out:
public constants with their comments, alt texts of pictures from the titles of plots, and a reference of every public name.
Fails on a notebook that is in no section of the sidebar, on a warning that matters, on dead links, on pictures without alt text,
and on a public name that is not described or not shown.
"""
import ast
import fnmatch
import importlib
import json
import multiprocessing
import os
import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from execnb.nbio import read_nb, write_nb
from links import dead_links
from nbdev.config import get_config
from nbdev.processors import FilterDefaults
from nbdev import doclinks, showdoc
from reference import bare_signatures, first_line, names_of, package_classes, public_names, reference_page, undocumented

ROOT = Path(__file__).resolve().parents[1]
PROC, DOCS = ROOT/"_proc", ROOT/"_docs"
REFERENCE = "reference.ipynb"  # made here, not in nbs/
HARMLESS = ("format commonmark is not built", "execute.enabled is ignored", "keep-md")


def plain(path: str) -> str:
    "A notebook's path without numbers: score/00_crps.ipynb becomes score/crps.ipynb."
    return "/".join(re.sub(r"^\d+_", "", part) for part in path.split("/"))


def notebooks() -> list[str]:
    "Paths of all notebooks, relative to nbs/, each folder's numbered ones first."
    found = [f.relative_to(ROOT/"nbs") for f in (ROOT/"nbs").rglob("*.ipynb")]
    kept = [f for f in found if not any(p[0] in "._" for p in f.parts)]
    return [f.as_posix() for f in sorted(kept, key=lambda f: (f.parent.as_posix(), not f.name[0].isdigit(), f.name))]


def constants(source: str, known: dict) -> str:
    "Markdown of the public constants that an exported cell defines, each with an anchor: nbdev shows functions and classes only."
    said = []
    for node in ast.parse(re.sub(r"^[%!].*$", "", source, flags=re.M)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) and node.value else []
        for name in (e.id for t in targets for e in (t.elts if isinstance(t, ast.Tuple) else [t]) if isinstance(e, ast.Name) and e.id in known):
            value = re.sub(r"\s+", " ", re.sub(r"\s#\s.*", "", ast.get_source_segment(source, node.value) or "", flags=re.M)).replace("`", "'")
            said.append(f"[`{name}`]{{#{name.lower()}}} `= {value if len(value) < 120 else value[:110] + ' ...'}`: {known[name].description}")
    return "\n\n".join(said)


def alt_text(source: str, heading: str) -> str:
    "What a picture shows: the titles of its plots, else the heading that it stands under."
    titles = [m[2] for m in re.finditer(r"""(?:title=|set_title\(|suptitle\()f?(["'])(.+?)\1""", source)]
    return "; ".join(re.sub(r"\{[^}]*\}", "...", t) for t in titles) or f"Plot: {heading}"


def with_alt_texts(cells: list):
    "Give each cell whose output is a picture an alt text, where its author has not."
    heading = ""
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown": heading = (re.findall(r"^#+ (.+)", source, re.M) or [heading])[-1]
        pictures = any(k.startswith("image/") for o in cell.get("outputs", ()) for k in o.get("data", {}))
        if pictures and not re.search(r"^#\|\s*fig-alt", source, re.M): cell["source"] = f"#| fig-alt: {json.dumps(alt_text(source, heading))}\n{source}"


SIGNATURES = {}  # of the module whose page is being made: name -> text


class Entry(showdoc.BasicMarkdownRenderer):
    "An entry of the reference whose signature is the author's own, with every field of a NamedTuple and no invented types."
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.dm = SIGNATURES.get(self.nm, str(self.dm)).replace("`", "")  # nbdev makes links of names in backticks, in code too


def processed(path: str) -> dict:
    "A notebook after nbdev's documentation processors, which run its exported cells and those with imports."
    nb, target = json.loads((ROOT/"nbs"/path).read_text(encoding="utf-8")), PROC/plain(path)
    module = re.search(r"^#\|\s*default_exp\s+(\S+)", "".join(nb["cells"][0]["source"]), re.M)
    if module:  # annotations may name what is defined further down
        names = f"#| hide\nfrom synth_miner.{module[1]} import *"
        nb["cells"].insert(1, dict(cell_type="code", id="names", metadata={}, source=names, outputs=[], execution_count=None))
        source = (ROOT/"synth_miner"/f"{module[1].replace('.', '/')}.py").read_text(encoding="utf-8")
        public = names_of(source, module[1])
        known = {n.name: n for n in public if n.kind == "constant"}
        SIGNATURES.update(package_classes().signatures(source))
        showdoc.BasicMarkdownRenderer = Entry
        for i, cell in reversed(list(enumerate(nb["cells"]))):
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and re.match(r"#\|\s*exports?\b", source) and (said := constants(source, known)):
                nb["cells"].insert(i + 1, dict(cell_type="markdown", id=f"constants{i}", metadata={}, source=said))
        title = next(i for i, cell in enumerate(nb["cells"]) if cell["cell_type"] == "markdown")
        if line := first_line(public): nb["cells"].insert(title + 1, dict(cell_type="markdown", id="firstline", metadata={}, source=line))
    target.write_text(json.dumps(nb), encoding="utf-8")
    os.environ["IN_TEST"] = "1"
    copy = read_nb(target)
    FilterDefaults()(copy)
    write_nb(copy, target)
    return json.loads(target.read_text(encoding="utf-8"))


def one_copy(path: str) -> str:
    "Write the copy of one notebook that is rendered; what went wrong, or an empty text."
    new = plain(path)
    target = PROC/new
    target.parent.mkdir(parents=True, exist_ok=True)
    if path == REFERENCE: target.write_text(json.dumps(reference_page(public_names())), encoding="utf-8"); return ""
    try: nb = processed(path)
    except Exception as e: return f"nbs/{path}: {e}: {e.__cause__!r}"
    cfg = get_config(path=ROOT)
    home, up = f"{cfg.doc_host}{cfg.doc_baseurl}/", posixpath.relpath(".", posixpath.dirname(new) or ".")
    def relative(value):
        if isinstance(value, str): return re.sub(r"(?<=\]\()[^)\s:]+\.ipynb", lambda m: plain(m[0]), value.replace(home, f"{up}/"))
        if isinstance(value, list): return [relative(v) for v in value]
        return {k: v if k.startswith("image/") else relative(v) for k, v in value.items()} if isinstance(value, dict) else value
    nb["cells"] = relative(nb["cells"])
    for cell in nb["cells"]:
        if cell["cell_type"] == "raw": cell["source"] = re.sub(r"^output-file:.*\n", "", "".join(cell["source"]), flags=re.M)
    with_alt_texts(nb["cells"])
    target.write_text(json.dumps(nb), encoding="utf-8")
    return ""


def expanded(contents: list, names: list, used: list) -> list:
    "Sidebar entries with globs replaced by the notebooks they match, in reading order; empty sections vanish."
    out = []
    for entry in contents:
        if isinstance(entry, dict) and "contents" in entry:
            if inner := expanded(entry["contents"], names, used): out.append({**entry, "contents": inner})
            continue
        pattern = entry["auto"] if isinstance(entry, dict) else entry
        hits = [n for n in names if fnmatch.fnmatchcase(n, pattern) and n.count("/") == pattern.count("/")]
        if not hits and isinstance(entry, str): sys.exit(f"_quarto.yml: the sidebar names {entry}, which does not exist")
        used += hits
        out += [plain(n) for n in hits]
    return out


def quarto_config(names: list) -> str:
    "The text of _quarto.yml for the copies."
    config = yaml.safe_load((ROOT/"_quarto.yml").read_text(encoding="utf-8"))
    site, used = config["website"], []
    contents = site["sidebar"]["contents"]
    after = next(i for i, entry in enumerate(contents) if isinstance(entry, dict) and entry.get("section") == "Concepts") + 1
    contents.insert(after, REFERENCE)
    site["navbar"]["left"].insert(-1, dict(text="Reference", href=REFERENCE))
    site["sidebar"]["contents"] = expanded(site["sidebar"]["contents"], names, used)
    if lost := sorted(set(names) - set(used)): sys.exit(f"_quarto.yml: in no section of the sidebar: {lost}")
    if twice := sorted({n for n in used if used.count(n) > 1}): sys.exit(f"_quarto.yml: twice in the sidebar: {twice}")
    for item in site["navbar"]["left"]: item["href"] = plain(item["href"])
    return yaml.safe_dump(config, sort_keys=False)


def main() -> int:
    "Copy, render, check; the exit status."
    names = [*notebooks(), REFERENCE]
    shutil.rmtree(PROC, ignore_errors=True)
    PROC.mkdir()
    (PROC/"_quarto.yml").write_text(quarto_config(names), encoding="utf-8")
    for f in (ROOT/"styles.css", ROOT/"nbs"/"nbdev.yml"): shutil.copy2(f, PROC/f.name)
    if (ROOT/"nbs"/"images").exists(): shutil.copytree(ROOT/"nbs"/"images", PROC/"images")
    for heavy in ("torch", "pandas", "matplotlib.pyplot", "scipy.stats", "hypothesis", "pytest"): importlib.import_module(heavy)  # once, before forking
    package_classes(), doclinks.NbdevLookup()  # both are kept, and every page asks them
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool: failed = [e for e in pool.map(one_copy, names, chunksize=1) if e]
    if failed: sys.exit("\n".join(failed))
    renderer = shutil.which("quarto") or shutil.which("smalldocs") or str(Path(sys.executable).parent/"smalldocs")
    done = subprocess.run([renderer, "render", str(PROC)], capture_output=True, text=True)
    said = (done.stdout + done.stderr).splitlines()
    warned = [] if renderer.endswith("quarto") else [s for s in said if not s.startswith("wrote ") and s.strip() and not any(h in s for h in HARMLESS)]
    if done.returncode or warned: sys.exit("\n".join(said if done.returncode else warned))
    shutil.rmtree(DOCS, ignore_errors=True)
    shutil.move(PROC/"_docs", DOCS)
    shutil.rmtree(PROC)
    dead = dead_links(DOCS) + undocumented(public_names(), DOCS) + bare_signatures(DOCS)
    print("\n".join(dead) or f"{len(names)} pages in {DOCS.name}, no dead links, every public name shown")
    return int(bool(dead))


if __name__ == "__main__": sys.exit(main())
