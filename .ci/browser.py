"""Drive the widget pages in a real browser: JupyterLab, and Voila for the app, on a free port, with Playwright and Debian's chromium.

Works on notebooks in a temporary folder. `python .ci/browser.py [screenshots=FOLDER] [page ...]`; pages: training, backtest, publish (the last two use the run that the first one leaves), live, app.
"""
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Page, TimeoutError, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome") if Path(p).exists()), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
DARK_THEME = Path(sys.prefix)/"share/jupyter/lab/themes/@jupyterlab/theme-dark-extension/index.css"
PATIENCE = 60_000 * int(os.environ.get("PATIENCE", "1"))  # milliseconds for anything to appear; PATIENCE=4 on a busy machine


def free_port() -> int:
    "A port that nobody listens on."
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def server(command: list, port: int, log: Path, folder: Path) -> Iterator[None]:
    "A server that answers on a port, ended with the block."
    with log.open("wb") as out, subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            for _ in range(600):
                if process.poll() is not None: raise RuntimeError(f"{command[0]} ended: {log.read_text()[-2000:]}")
                try: socket.create_connection(("127.0.0.1", port), timeout=1).close(); break
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

    def seen(self, name: str, moves: Callable):
        "Make the moves of a test; one that fails leaves a picture, and an error of the page is one."
        self.page.bring_to_front()
        try: moves(self)
        except Exception: self.page.screenshot(path=self.shots/f"failed-{name}.png"); raise
        assert not self.errors, (name, self.errors)

    def button(self, label: str): return self.page.get_by_role("button", name=label, exact=True).and_(self.page.locator(":visible")).first

    def press(self, label: str): self.button(label).click(timeout=PATIENCE)

    def field(self, label: str):
        "The input, menu or list behind a label."
        box = self.page.locator(".jupyter-widgets", has=self.page.locator(f"label.widget-label:text-is('{label}')")).and_(self.page.locator(":visible")).last
        return box.locator("input:not([type=checkbox]), select, textarea").first

    def choose(self, label: str, option: str):
        "An entry of a menu or list, by a part of its text."
        found = self.field(label)
        found.locator("option", has_text=option).first.wait_for(state="attached", timeout=PATIENCE)  # a tab is filled when it is opened
        text = next(t for t in found.locator("option").all_inner_texts() if option in t)
        found.select_option(label=text)

    def fill(self, label: str, text: str):
        self.field(label).fill(text)
        self.field(label).press("Enter")

    def says(self, text: str | re.Pattern): expect(self.page.locator("body")).to_contain_text(text, timeout=PATIENCE)

    def tab(self, title: str): self.page.get_by_role("tab", name=title, exact=True).and_(self.page.locator(":visible")).first.click(timeout=PATIENCE)

    def picture(self) -> str:
        "The address of the first picture that is shown."
        image = self.page.locator("img.widget-image:visible").first
        image.wait_for(timeout=PATIENCE)
        return image.get_attribute("src")

    def shot(self, name: str):
        "A picture of the whole widget page, also of what lies below the window."
        self.page.wait_for_timeout(500)  # pictures are painted late
        self.page.locator(".osm-page:visible").first.screenshot(path=self.shots/f"{name}.png")


@contextlib.contextmanager
def opened(browser, url: str, shots: Path) -> Iterator[Driver]:
    "A tab, tall enough for its page."
    page = browser.new_page(viewport=dict(width=1280, height=1500))
    driver = Driver(page, shots)
    page.on("pageerror", lambda e: driver.errors.append(str(e)))
    page.goto(url, wait_until="domcontentloaded", timeout=2 * PATIENCE)
    yield driver


def run_all(d: Driver):
    "Run all cells of the notebook that JupyterLab shows, once its kernel answers."
    d.page.wait_for_selector(".jp-Notebook", timeout=PATIENCE)
    d.page.wait_for_function("document.body.innerText.includes('| Idle')", timeout=PATIENCE)
    if (dialog := d.page.locator(".jp-Dialog button.jp-mod-accept")).is_visible(): dialog.click()
    d.page.get_by_role("menuitem", name="Run", exact=True).click()
    d.page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()


def shown(d: Driver):
    "Wait for the page; what JupyterLab was asked too early it forgets, and is asked again."
    for left in (2, 1, 0):
        try: d.page.locator(".osm-page").first.wait_for(timeout=PATIENCE / 2)
        except TimeoutError:
            if not left: raise
            run_all(d)
        else: break
    if (files := d.page.locator(".jp-SideBar.jp-mod-left .lm-TabBar-tab.lm-mod-current")).count(): files.first.click()  # the list of files makes way


def training(d: Driver):
    "Put a model together, make a mistake, train, pause, stop, go on."
    d.says("TransformerBlock"); d.says("parameters in all")
    d.choose("add a block", "grublock"); d.press("Add"); d.says("GRUBlock")
    d.press("Remove"); expect(d.page.locator(".osm-page table").first).not_to_contain_text("GRUBlock", timeout=PATIENCE)
    d.fill("learning rate", "7"); d.press("Train"); d.says("learning rate: between 0 and 1")
    d.fill("learning rate", "0.003"); d.shot("training-model")
    d.press("Train"); d.says("running: step"); first = d.picture()
    d.press("Pause"); d.says("paused: step"); d.shot("training-paused")  # the page's training is long enough for a slow browser to find it at a step
    d.press("Stop"); d.says("stopped:"); d.says(", stopped; Crypto 1h"); d.says("Everything is in")  # while it is held: nothing runs away from the test
    expect(d.field("go on with")).to_contain_text(", stopped", timeout=PATIENCE); d.press("Resume run"); d.press("Pause"); d.says("paused:")
    d.press("Go on"); d.says("done:"); d.says(", finished; Crypto 1h"); d.says("Its answers to the held-out prompts"); d.shot("training-done")
    assert d.picture() != first
    d.fill("assets", " "); d.press("Train"); d.says("correct this first: assets"); d.fill("assets", "BTC")  # never with its old value
    d.press("Save set-up"); d.says("--config-name mine"); d.fill("learning rate", "0.01"); d.press("Load set-up")
    expect(d.field("learning rate")).to_have_value("0.003", timeout=PATIENCE)


def backtest(d: Driver):
    "Choose a run and baselines, score them, look at every tab, click a prompt."
    who = d.field("ask")
    d.press("Look again"); who.locator("option", has_text=re.compile(r"^run\s")).first.wait_for(state="attached", timeout=PATIENCE)
    chosen = [i for i, t in enumerate(who.locator("option").all_inner_texts()) if t.startswith(("run", "template", "ewma_fhs"))]
    assert len(chosen) == 3, chosen
    who.select_option(index=chosen)
    d.fill("every", "soon"); d.press("Score"); d.says("every: 'soon' is not a time")
    d.fill("every", "30min"); d.press("Score"); d.says("done:"); d.says("minus"); d.picture(); d.shot("backtest-scores")
    d.tab("Prompts"); before = d.picture()
    d.page.locator("svg.osm-scatter circle").nth(3).click(force=True)
    d.page.wait_for_function("old => [...document.querySelectorAll('img.widget-image')].some(i => i.offsetParent && i.src && i.src !== old)", arg=before, timeout=PATIENCE)
    d.says("total score in bps"); d.shot("backtest-prompts")
    d.tab("Calibration"); d.picture(); d.shot("backtest-calibration")
    d.tab("Leaderboard"); d.says("Among nine copies"); d.picture(); d.shot("backtest-leaderboard")


def publish(d: Driver):
    "Read the card, compare, try dry, push to a Hub on this machine."
    d.press("Look again"); d.says("Needed: a repository")
    d.fill("repository", "nonsense"); d.says("repository: owner/name, such as")
    d.fill("repository", "me/models"); d.says("hf://me/models/")
    d.press("Dry run"); d.says("nothing was sent"); d.shot("publish-dry")
    d.press("Compare"); d.says(re.compile("(wins|does not win) the paired test: ")); d.choose("champion", "yes")
    d.press("Push"); d.says("files in commit"); d.says("was promoted by hand"); d.press("Who leads"); d.says("Crypto 1h: transformerblock-lstmblock"); d.shot("publish-done")


def look(d: Driver, name: str):
    "Pictures of a page in the light and the dark theme, and in a narrow window; nothing may stick out to the right."
    d.shot(name)
    dark = d.page.add_style_tag(path=DARK_THEME); d.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    d.page.evaluate("document.body.style.background = 'var(--jp-layout-color0)'"); d.shot(f"{name}-dark")
    dark.evaluate("e => e.remove()"); d.page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    d.page.set_viewport_size(dict(width=1024, height=1500)); d.shot(f"{name}-1024")
    wide = d.page.evaluate("[...document.querySelectorAll('.osm-page')].filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 2).length")
    assert not wide, f"{name} is wider than a window of 1024 pixels"
    d.page.set_viewport_size(dict(width=1280, height=1500))


def app(d: Driver):
    "All pages in Voila: change a model, score two baselines, put them into a made-up field, and look at every page."
    d.says("parameters in all"); d.choose("head", "gbm"); d.says("GBMHead"); look(d, "app-train")
    d.tab("Backtest"); d.fill("prompts", "20"); d.press("Score"); d.says("done:"); d.picture(); look(d, "app-backtest")
    d.tab("Sweep"); d.choose("kind", "grid"); d.press("Sweep"); d.says("a grid needs choices"); look(d, "app-sweep")
    d.tab("Runs"); d.says("All runs"); d.press("Compare"); d.says("select at least two runs"); look(d, "app-runs")
    d.tab("Publish"); d.says("The card, as it will look"); look(d, "app-publish")
    d.tab("Field"); d.button("Judge").wait_for(timeout=PATIENCE); d.fill("every", "soon"); d.press("Judge"); d.says("every: 'soon' is not a time"); d.fill("every", "12h"); d.press("Judge"); d.says("are made up")
    d.page.locator("svg.osm-scatter:visible circle").nth(3).click(force=True); d.says("Prompts that were scored then"); look(d, "app-field")
    d.tab("Live"); d.fill("service", "nonsense"); d.press("Look"); d.says("service: expected an address"); d.fill("service", "http://127.0.0.1:9"); d.press("Look"); d.says("or press Practise")
    d.press("Practise"); d.says("Last prompts"); d.says("bps better"); look(d, "app-live")


def live(d: Driver):
    "Practise, follow, and look at the same on the page of the service itself: light, dark, narrow, on a telephone, and when nobody answers any more."
    d.press("Practise"); d.says("Last prompts"); d.says("bps better"); d.says("ends in"); look(d, "live")
    before = d.page.locator(".osm-live .clock").inner_text()
    d.page.wait_for_function("old => document.querySelector('.osm-live .clock').innerText !== old", arg=before, timeout=PATIENCE)
    address = d.field("service").input_value()
    for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"), ("1024", 1024, "light"), ("phone", 390, "dark")):
        page = d.page.context.browser.new_page(viewport=dict(width=width, height=900), color_scheme=scheme)
        asked, wrong = [], []
        page.on("request", lambda r, asked=asked: asked.append(r.url)); page.on("pageerror", lambda e, wrong=wrong: wrong.append(str(e)))
        page.on("console", lambda m, wrong=wrong: wrong.append(m.text) if m.type == "error" else None)
        page.goto(address); page.screenshot(path=d.shots/f"service-{name}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"the page of the service is {wide} pixels wider than a window of {width}"
        assert all(url.startswith((address, "data:")) for url in asked), asked  # nothing from elsewhere
        before = page.locator(".clock").inner_text()
        if name == "light": page.wait_for_function("old => document.querySelector('.clock').innerText !== old", arg=before, timeout=PATIENCE)
        if name == "light":
            page.route("**/?part=1", lambda route: route.abort()); page.locator("#gone").wait_for(state="visible", timeout=PATIENCE); wrong.clear()
        assert not wrong, wrong
        page.close()
    d.press("Stop"); d.says("stopped")


HUB = """from synth_miner.testing.local_hub import LocalHub
from synth_miner.widgets.publish import PublishPage
import huggingface_hub.constants"""
PAGES = dict(  # name -> its moves, and the cells of its notebook; later ones use the run that the first one leaves
    training=(training, "from synth_miner.widgets.training import TrainingPage", "TrainingPage(length=16000, epochs=6, steps=40, prompts=12, width=16)"),
    backtest=(backtest, "from synth_miner.widgets.backtest import BacktestPage", "BacktestPage(length=16000, prompts=40, n_paths=100)"),
    publish=(publish, HUB, "huggingface_hub.constants.HF_HUB_DISABLE_XET = True\nhub = LocalHub().__enter__()\nPublishPage(endpoint=hub.url, token=hub.token)"),
    live=(live, "from synth_miner.widgets.live import LivePage", "LivePage()"),
)


def main(*args: str) -> int:
    if CHROMIUM is None: print("there is no chromium; apt-get install chromium"); return 1
    shots = next((Path(a.partition("=")[2]).absolute() for a in args if a.startswith("screenshots=")), None)
    wanted = [a for a in args if a in (*PAGES, "app")] or [*PAGES, "app"]
    with tempfile.TemporaryDirectory() as temp, contextlib.ExitStack() as stack:
        folder, lab, voila, begun = Path(temp), free_port(), free_port(), time.monotonic()
        shots = shots or folder
        shots.mkdir(parents=True, exist_ok=True)
        for name in PAGES: notebook(folder/f"{name}.ipynb", *PAGES[name][1:])
        shutil.copy(ROOT/"nbs/widgets/app.ipynb", folder)
        start = lambda name, port, *more: stack.enter_context(server(["jupyter" if name == "lab" else "voila", *more], port, folder/f"{name}.log", folder))
        if set(wanted) & set(PAGES): start("lab", lab, "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={lab}", "--ServerApp.port_retries=0", "--IdentityProvider.token=tok", f"--ServerApp.root_dir={folder}",
                                           "--LabApp.extension_manager=readonly", f"--LabApp.user_settings_dir={quiet(folder)}")
        if "app" in wanted: start("voila", voila, "app.ipynb", "--no-browser", f"--port={voila}", "--Voila.ip=127.0.0.1")
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tabs = {n: stack.enter_context(opened(browser, f"http://127.0.0.1:{lab}/lab/workspaces/{n}/tree/{n}.ipynb?token=tok" if n in PAGES else f"http://127.0.0.1:{voila}", shots)) for n in wanted}
        for n, d in tabs.items():
            if n in PAGES: d.seen(n, run_all)
        for n, d in tabs.items():
            start_of = time.monotonic()
            if n in PAGES: d.seen(n, shown)
            d.seen(n, PAGES[n][0] if n in PAGES else app)
            print(f"{n}: {time.monotonic() - start_of:.0f} s", flush=True)
        print(f"all in {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__": sys.exit(main(*sys.argv[1:]))
