"Check a rendered site offline: every internal link, anchor and image leads somewhere, every image has an alt text. `python .ci/links.py _docs` lists what does not."
import json
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    "The anchors a page offers and the addresses it asks for."
    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.mute = {"", "top"}, [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "img" and not (dict(attrs).get("alt") or "").strip(): self.mute += 1
        for key, value in attrs:
            if key == "id" or (key == "name" and tag == "a"): self.ids.add(value)
            if key in ("href", "src") and tag not in ("base",): self.links.append((tag, value or ""))


def dead_links(site: Path) -> list[str]:
    "A sentence for each internal address of the site that leads nowhere."
    pages = {f.resolve(): Page(f.read_text(encoding="utf-8")) for f in sorted(site.rglob("*.html"))}
    bad = []
    for file, page in pages.items():
        if page.mute: bad.append(f"{file.relative_to(site.resolve())}: images without alt text: {page.mute}")
        for tag, link in page.links:
            url = urlsplit(link)
            where = f"{file.relative_to(site.resolve())}: {'image' if tag == 'img' else 'link'} {link!r}"
            if url.scheme or url.netloc: continue
            if not link: bad += [f"{where} is empty"] if tag in ("img", "script") else []; continue
            target = (file.parent/unquote(url.path)).resolve() if url.path else file
            if target.is_dir(): target = target/"index.html"
            if not target.exists(): bad.append(f"{where}: no such file")
            elif not target.is_relative_to(site.resolve()): bad.append(f"{where} leaves the site")
            elif target in pages and unquote(url.fragment) not in pages[target].ids: bad.append(f"{where}: no such anchor")
    for found in json.loads((site/"search.json").read_text(encoding="utf-8")) if (site/"search.json").exists() else []:
        if not (site/urlsplit(found["href"]).path).exists(): bad.append(f"search.json: {found['href']!r}: no such file")
    return sorted(set(bad)) if pages else [f"{site}: no pages"]


if __name__ == "__main__":
    found = dead_links(Path(sys.argv[1]))
    print("\n".join(found) or "no dead links")
    sys.exit(bool(found))
