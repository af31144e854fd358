"""Drive the widget pages in a real browser: JupyterLab, and Voila for the app, on a free port, with Playwright and Debian's chromium.

Works on notebooks in a temporary folder. `python .ci/browser.py [screenshots=FOLDER] [page ...]`; pages: training, backtest, publish, app.
"""
import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Page, TimeoutError, expect, sync_playwright

CHROMIUM = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome") if Path(p).exists()), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PATIENCE = 60_000  # milliseconds for anything to appear


def free_port() -> int:
    "A port that nobody listens on."
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def server(command: list, url: str, folder: Path) -> Iterator[None]:
    "A server that answers at an address, ended with the block."
    with (folder/"server.log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT) as process:
        try:
            for _ in range(300):
                if process.poll() is not None: raise RuntimeError(f"{command[0]} ended: {(folder/'server.log').read_text()[-2000:]}")
                try: urllib.request.urlopen(url, timeout=2); break
                except urllib.error.HTTPError: break
                except OSError: time.sleep(0.1)
            else: raise RuntimeError(f"{command[0]} does not answer")
            yield
        finally: process.terminate()


def notebook(path: Path, *cells: str):
    "Write a notebook of code cells."
    cell = lambda i, source: dict(cell_type="code", id=f"c{i}", metadata={}, execution_count=None, outputs=[], source=source)
    kernel = dict(kernelspec=dict(name="python3", display_name="python3", language="python"))
    path.write_text(json.dumps(dict(nbformat=4, nbformat_minor=5, metadata=kernel, cells=[cell(i, c) for i, c in enumerate(cells)])))


def quiet(folder: Path) -> Path:
    "Settings of JupyterLab that ask for no news."
    file = folder/"settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(dict(fetchNews="false", checkForUpdates=False)))
    return folder/"settings"


class Driver:
    "A browser page with the few moves that the tests need."
    def __init__(self, page: Page, shots: Path): self.page, self.shots, self.errors = page, shots, []

    def button(self, label: str): return self.page.get_by_role("button", name=label, exact=True).and_(self.page.locator(":visible")).first

    def press(self, label: str): self.button(label).click(timeout=PATIENCE)

    def field(self, label: str):
        "The input, menu or list behind a label."
        box = self.page.locator(".jupyter-widgets", has=self.page.locator(f"label.widget-label:text-is('{label}')")).and_(self.page.locator(":visible")).last
        return box.locator("input:not([type=checkbox]), select, textarea").first

    def choose(self, label: str, option: str):
        "An entry of a menu or list, by a part of its text."
        found = self.field(label)
        text = next(t for t in found.locator("option").all_inner_texts() if option in t)
        found.select_option(label=text)

    def fill(self, label: str, text: str):
        self.field(label).fill(text)
        self.field(label).press("Enter")

    def says(self, text: str, patience: int = PATIENCE): expect(self.page.locator("body")).to_contain_text(text, timeout=patience)

    def picture(self, alt: int = 0):
        "The address of a picture that is shown."
        image = self.page.locator("img.widget-image:visible").nth(alt)
        image.wait_for(timeout=PATIENCE)
        return image.get_attribute("src")

    def shot(self, name: str):
        self.page.wait_for_timeout(500)  # pictures are painted late
        self.page.screenshot(path=self.shots/f"{name}.png")


@contextlib.contextmanager
def opened(browser, url: str, shots: Path, tall: int) -> Iterator[Driver]:
    "A tab; what goes wrong in it fails the test."
    page = browser.new_page(viewport=dict(width=1280, height=tall))
    driver = Driver(page, shots)
    page.on("pageerror", lambda e: driver.errors.append(str(e)))
    page.goto(url, wait_until="domcontentloaded")
    try: yield driver
    except Exception: driver.shot("failed"); raise
    assert not driver.errors, driver.errors
    page.close()


def run_all(d: Driver):
    "Run all cells of the notebook that JupyterLab shows."
    d.page.wait_for_selector(".jp-Notebook", timeout=PATIENCE)
    d.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=PATIENCE)
    for _ in range(5):  # a kernel that has just started may lose the first request
        d.page.get_by_role("menuitem", name="Run", exact=True).click()
        d.page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
        with contextlib.suppress(TimeoutError): d.page.locator(".jp-InputPrompt", has_text=re.compile(r"\[[*1]\]")).first.wait_for(timeout=3_000); break
    d.page.locator(".osm-page").first.wait_for(timeout=PATIENCE)


def training(d: Driver):
    "Put a model together, make a mistake, train, pause, stop, go on."
    d.says("TransformerBlock"); d.says("parameters in all")
    d.choose("add a block", "grublock"); d.press("Add"); d.says("GRUBlock")
    d.press("Remove"); expect(d.page.locator(".osm-page table").first).not_to_contain_text("GRUBlock", timeout=PATIENCE)
    d.fill("learning rate", "7"); d.press("Train"); d.says("learning rate: between 0 and 1")
    d.fill("learning rate", "0.003"); d.shot("training-model")
    d.press("Train"); d.says("running: step"); first = d.picture()
    d.press("Pause"); d.says("paused:"); d.shot("training-paused")
    d.press("Go on"); d.says("Epoch"); d.press("Stop"); d.says("stopped:"); d.says("Everything is in")
    assert d.picture() != first
    d.page.locator("button[title^='Goes on with this run']").click()
    d.says("done:"); d.says("finished"); d.shot("training-done")


PAGES = dict(
    training=(training, "from synth_miner.widgets.training import TrainingPage", "TrainingPage(length=8000, epochs=6, steps=15, prompts=12, width=16)"),
)


def main(*args: str) -> int:
    if CHROMIUM is None: print("there is no chromium; apt-get install chromium"); return 1
    shots = next((Path(a.partition("=")[2]) for a in args if a.startswith("screenshots=")), None)
    wanted = [a for a in args if a in PAGES] or list(PAGES)
    with tempfile.TemporaryDirectory() as temp, contextlib.ExitStack() as stack:
        folder, port, begun = Path(temp), free_port(), time.monotonic()
        shots = shots or folder
        shots.mkdir(parents=True, exist_ok=True)
        for name in wanted: notebook(folder/f"{name}.ipynb", *PAGES[name][1:])
        lab = ["jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=tok", f"--ServerApp.root_dir={folder}", "--LabApp.extension_manager=readonly", f"--LabApp.user_settings_dir={quiet(folder)}"]
        stack.enter_context(server(lab, f"http://127.0.0.1:{port}/api?token=tok", folder))
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in wanted:
            start = time.monotonic()
            with opened(browser, f"http://127.0.0.1:{port}/lab/tree/{name}.ipynb?token=tok", shots, 1500) as d:
                run_all(d)
                PAGES[name][0](d)
            print(f"{name}: {time.monotonic() - start:.0f} s")
        print(f"all in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__": sys.exit(main(*sys.argv[1:]))
