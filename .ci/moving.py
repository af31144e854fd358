"""A moving picture of the page Train, for the home page: a model is changed, trained and judged, from screenshots of a real browser.

    python .ci/moving.py [FILE]     # nbs/images/page_training.gif unless a file is named; under 400 kB, about ten seconds long

Needs what .ci/browser.py needs, and pillow.
"""
import contextlib
import io
import shutil
import sys
import tempfile
import time
from pathlib import Path

from browser import CHROMIUM, FLAGS, PATIENCE, ROOT, Driver, free_port, notebook, opened, server
from PIL import Image, ImageChops
from playwright.sync_api import sync_playwright

SIZE = 900, 620  # pixels of the picture
COLORS = 48  # of all frames together
MOST = 400_000  # bytes
CELLS = ("from synth_miner.widgets.training import TrainingPage", "TrainingPage(length=9000, epochs=4, steps=12, prompts=24, width=16, assets=['BTC'])")


def frame(d: Driver, top: int = 0) -> Image.Image:
    "What the page shows now, from a height on."
    raw = Image.open(io.BytesIO(d.page.screenshot(clip=dict(x=0, y=top, width=1200, height=1200 * SIZE[1] // SIZE[0]))))
    return raw.convert("RGB").resize(SIZE, Image.LANCZOS)


def frames(d: Driver) -> list:  # picture, milliseconds
    "The page as somebody uses it."
    d.says("parameters in all"); shots = [(frame(d), 1500)]
    d.choose("add a block", "grublock"); d.press("Add"); d.says("GRUBlock"); shots.append((frame(d), 1500))
    d.press("Train"); d.says("running: step")
    low = int(d.button("Train").bounding_box()["y"]) - 40
    end = time.monotonic() + 10 * PATIENCE / 1000
    while time.monotonic() < end and "done:" not in d.page.inner_text("body"):
        shots.append((frame(d, low), 350)); time.sleep(0.7)
    d.says("done:"); d.says("finished; Crypto 1h"); d.page.wait_for_timeout(1500)
    return [*shots, (frame(d, low), 3500)]


def save(shots: list, file: Path) -> int:  # bytes
    "Write the frames that differ as one GIF with one palette; every second of the middle ones is left out while it is too large."
    while True:
        kept = [shots[0], *(b for a, b in zip(shots, shots[1:]) if ImageChops.difference(a[0], b[0]).getbbox())]
        palette = kept[-1][0].quantize(COLORS)
        pictures = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture, _ in kept]
        pictures[0].save(file, save_all=True, append_images=pictures[1:], duration=[ms for _, ms in kept], loop=0, optimize=True)
        if (size := file.stat().st_size) <= MOST or len(kept) < 6: return size
        shots = [*kept[:3], *kept[3:-1:2], kept[-1]]


def main() -> int:
    if CHROMIUM is None: print("there is no chromium; apt-get install chromium"); return 1
    file = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT/"nbs/images/page_training.gif").absolute()
    with tempfile.TemporaryDirectory() as temp, contextlib.ExitStack() as stack:
        folder, port = Path(temp), free_port()
        notebook(folder/"train.ipynb", *CELLS)
        command = [shutil.which("voila"), "train.ipynb", "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
        stack.enter_context(server(command, port, folder/"voila.log", folder))
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        shots = frames(stack.enter_context(opened(browser, f"http://127.0.0.1:{port}", folder)))
        print(f"{file}: {len(shots)} pictures, {save(shots, file):,} bytes")
    return 0


if __name__ == "__main__": sys.exit(main())
