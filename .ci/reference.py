"""Every public name of the package with its page, arguments and description, read from the modules without importing them.

`python .ci/reference.py` lists what is not described; with a folder, also what the rendered site in it does not show.
"""
import ast
import html
import json
import re
import sys
import textwrap
from functools import cache
from pathlib import Path
from typing import NamedTuple

from links import Page

ROOT = Path(__file__).resolve().parents[1]
LAYERS = {  # folder or module -> heading of the reference, in the order of the layers
    "Foundations": ("names", "ancestor", "secrets", "parts", "part_tables", "components", "core", "arguments", "typed", "viz", "diagnostics", "calibration_plots", "tables"), "Data": ("data",), "Features": ("features",), "Windows": ("windows",), "Blocks": ("blocks",), "Heads": ("heads",),
    "Processes": ("processes",), "Scores": ("score",), "Models": ("model",), "Keys": ("keys",), "Baselines": ("baselines",), "Judging": ("evaluate",), "Training": ("train",),
    "The lab": ("lab",), "The field": ("field",), "Publishing": ("publish",), "Synth Ultra": ("ultra",), "Testing": ("testing",), "Command line and widgets": ("cli", "doctor", "widgets"),
}


class Name(NamedTuple):
    "A public name."
    name: str
    module: str # dotted, without the package
    kind: str # class, function or constant
    signature: str # arguments of a function or class, without types
    description: str # first line of the docstring, or the comment behind a constant; empty: none
    registered: bool = False # whether it is a part that a user names, which comes first on its page
    @property
    def page(self): return f"{self.module.replace('.', '/')}.html"
    @property
    def anchor(self): return "" if self.kind == "constant" else self.name.lower()


def arguments(node) -> str:
    "The arguments of a function, or of a class's constructor or fields, by name."
    if isinstance(node, ast.ClassDef):
        init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        if init is None: return ", ".join(n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and not n.target.id.startswith("_"))
        node = init
    a = node.args
    found = [p.arg for p in [*a.posonlyargs, *a.args] if p.arg not in ("self", "cls")]
    if a.vararg: found.append(f"*{a.vararg.arg}")
    elif a.kwonlyargs: found.append("*")
    return ", ".join([*found, *(p.arg for p in a.kwonlyargs), *([f"**{a.kwarg.arg}"] if a.kwarg else [])])


def is_registered(node) -> bool:
    "Whether a class or function is entered in the registry where it is defined."
    return any("register" in ast.unparse(d) for d in node.decorator_list)


def header(lines: list[str], node) -> str:
    "A definition as its author wrote it, up to its body: names, types, defaults and the comment of each parameter."
    rows, body = lines[node.lineno - 1:node.body[0].lineno], node.body[0]
    rows[-1] = rows[-1].encode()[:body.col_offset].decode()
    return textwrap.dedent("\n".join(row.rstrip() for row in rows)).rstrip()


def fields(lines: list[str], node) -> str:
    "The fields of a NamedTuple or dataclass, as its author wrote them."
    own = [n for n in node.body if isinstance(n, ast.AnnAssign) and not n.target.id.startswith("_")]
    rows = ["\n".join(lines[n.lineno - 1:n.end_lineno]) for n in own]
    values = [row.encode()[:n.end_col_offset].decode() if n.lineno == n.end_lineno else row.split("  #")[0] for row, n in zip(rows, own, strict=True)]
    return textwrap.dedent("\n".join(f"{value},{row[len(value):]}" for row, value in zip(rows, values, strict=True)))


class Classes:
    "Every class of some modules by name, with its lines, so that a constructor is found where it is inherited from."
    def __init__(self, sources: list[str]):
        self.found = {}
        for source in sources:
            for node in ast.parse(source).body:
                if isinstance(node, ast.ClassDef): self.found.setdefault(node.name, (source.splitlines(), node))

    def constructor(self, lines: list[str], node) -> str:
        "The parameters of a class's own constructor, its fields, or those of the first base that has any; empty: none."
        init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        if init is not None:
            text = re.sub(r"\A\s*def __init__\(self\b,?[ ]*", "(", header(lines, init))
            return re.sub(r"\)(?:\s*->\s*None)?\s*:(?P<said>\s*#.*)?\Z", r")\g<said>" if text.rstrip()[-1] != ":" else ")", text)
        bases = [ast.unparse(b).split(".")[-1] for b in node.bases]
        data = "NamedTuple" in bases or "TypedDict" in bases or any("dataclass" in ast.unparse(d) for d in node.decorator_list)
        if data and (text := fields(lines, node)): return "(\n" + textwrap.indent(text, "    ") + "\n)"
        for base in bases:
            if base in self.found and base != node.name and (text := self.constructor(*self.found[base])): return text
        return ""

    def signature(self, lines: list[str], node) -> str:
        "A function's header; a class's first line and how an object of it is made."
        if not isinstance(node, ast.ClassDef): return header(lines, node)
        first = f"class {node.name}" + (f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else "")
        made = self.constructor(lines, node)
        return f"{first}\n\n{node.name}{made}" if made else first

    def signatures(self, source: str) -> dict[str, str]:
        "Name -> signature, of every function, class and method of a module; a method is Class.name, patched ones too."
        lines, out = source.splitlines(), {}
        for node in ast.parse(source).body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)): continue
            owner = node.args.args[0].annotation if isinstance(node, ast.FunctionDef) and any(ast.unparse(d).startswith("patch") for d in node.decorator_list) else None
            for name in [node.name] if owner is None else [f"{n.strip()}.{node.name}" for n in ast.unparse(owner).split("|")]:
                out[name] = self.signature(lines, node)
            for n in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(n, ast.FunctionDef): out[f"{node.name}.{n.name}"] = header(lines, n)
        return out


@cache
def package_classes(package: Path = ROOT/"synth_miner") -> Classes:
    "The classes of all modules."
    return Classes([f.read_text(encoding="utf-8") for f in sorted(package.rglob("*.py"))])


def first_line(names: list[Name]) -> str:
    "What a page defines, the part that a user came for first, then classes, then the rest, as a line of links."
    shown = [n for n in sorted(names, key=lambda n: (not n.registered, n.kind != "class", n.kind == "constant"))]
    links = [f"[{n.name}](#{n.name.lower()})" if n.kind == "constant" else f"`{n.name}`" for n in shown]  # nbdev makes links of the latter
    return "**On this page:** " + " · ".join([f"**{links[0]}**", *links[1:]]) if links else ""


def names_of(source: str, module: str) -> list[Name]:
    "The public names of one module, in the order of `__all__`."
    lines, defined, public = source.splitlines(), {}, []
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            said = (ast.get_docstring(node) or "").split("\n")[0]
            defined[node.name] = ("class" if isinstance(node, ast.ClassDef) else "function", arguments(node), said, is_registered(node))
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if getattr(targets[0], "id", "") == "__all__": public = ast.literal_eval(node.value); continue
            rows = lines[node.lineno - 1:node.end_lineno]
            said = next((m[1].strip() for row in (rows[0], rows[-1]) if (m := re.search(r"\s#\s*([^\n]+)$", row))), "")
            for t in targets:
                for e in t.elts if isinstance(t, ast.Tuple) else [t]:
                    if isinstance(e, ast.Name): defined[e.id] = ("constant", "", said)
    return [Name(n, module, *defined.get(n, ("constant", "", ""))) for n in public]


def public_names(package: Path = ROOT/"synth_miner") -> list[Name]:
    "All public names, by layer, module and name."
    order = [m for group in LAYERS.values() for m in group]
    found = []
    for f in sorted(package.rglob("*.py")):
        module = ".".join(f.relative_to(package).with_suffix("").parts)
        if f.name in ("__init__.py", "__main__.py", "_modidx.py"): continue
        if module.split(".")[0] not in order: sys.exit(f".ci/reference.py: {module} is in no layer of the reference")
        found += names_of(f.read_text(encoding="utf-8"), module)
    return sorted(found, key=lambda n: (order.index(n.module.split(".")[0]), n.module, not n.registered, n.kind != "class", n.name.lower()))


def undocumented(names: list[Name], site: Path | None = None) -> list[str]:
    "A sentence for each name without a description, or, given a rendered site, without its place there."
    bad = [f"{n.module}.{n.name}: a {n.kind} without {'a comment behind it' if n.kind == 'constant' else 'a docstring'}" for n in names if not n.description]
    pages = {}
    for n in names if site is not None else ():
        file = site/n.page
        if not file.exists(): bad.append(f"{n.module}.{n.name}: there is no page {n.page}"); continue
        if n.page not in pages: pages[n.page] = (Page(text := file.read_text(encoding="utf-8")).ids, re.sub(r"<[^>]+>", "", text))
        ids, text = pages[n.page]
        if n.anchor and n.anchor not in ids: bad.append(f"{n.module}.{n.name}: {n.page} has no entry #{n.anchor}")
        elif not re.search(rf"\b{re.escape(n.name)}\b", text): bad.append(f"{n.module}.{n.name}: {n.page} does not show it")
    return bad


def bare_signatures(site: Path) -> list[str]:
    "A sentence for each signature of the rendered site that hides its parameters behind *args, or a type behind NoneType; the cells of a page may write what they like."
    bad = []
    for file in sorted(site.rglob("*.html")):
        entries = re.sub(r'<pre class="[^"]*\bcell-code\b.*?</pre>', "", file.read_text(encoding="utf-8"), flags=re.S)
        text = html.unescape(re.sub(r"<[^>]+>", "", entries))
        found = re.findall(r"(?:def|class) \w+\(\s*\*args, \*\*kwargs\s*\)?:?(?=\n)", text) + re.findall(r"\w+:\s?NoneType\s?=\s?None", text)
        bad += [f"{file.relative_to(site).as_posix()}: {' '.join(f.split())}" for f in found]
    return bad


def reference_page(names: list[Name]) -> dict:
    "The notebook of the reference: a table a module, in the order of the layers."
    safe = lambda s: s.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")
    text = ["---\ntitle: Reference\ndescription: \"Every public name, by layer and module, each a link to its entry: signature, parameters with shapes, errors, source, and examples that are tests\"\n---",
            f"{len(names)} names, all of them importable from `synth_miner` itself. The search at the top finds them too."]
    for heading, group in LAYERS.items():
        mine = [n for n in names if n.module.split(".")[0] in group]
        if not mine: continue
        part = [f"## {heading}"]
        for module in dict.fromkeys(n.module for n in mine):
            rows = [f"| [`{n.name}`]({n.page}{'#' + n.anchor if n.anchor else ''}){f' *({safe(n.signature)})*' if n.signature or n.kind == 'function' else ''} | {safe(n.description)} |" for n in mine if n.module == module]
            part.append(f"### [{module}]({module.replace('.', '/')}.html)\n\n| name | what it is |\n|---|---|\n" + "\n".join(rows))
        text.append("\n\n".join(part))
    cells = [dict(cell_type="markdown" if i else "raw", id=f"reference{i}", metadata={}, source=t) for i, t in enumerate(text)]
    return dict(cells=cells, metadata={}, nbformat=4, nbformat_minor=5)


if __name__ == "__main__":
    found = undocumented(public_names(), Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    print("\n".join(found) or f"{len(public_names())} public names, all documented")
    sys.exit(bool(found))
