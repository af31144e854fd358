"nbdev_test in which a notebook fails that skips a test on real bars, where the bars are there: `python .ci/suite.py --n_workers 1`, or any other of its options."
from pathlib import Path

import nbdev.test

BARS = Path(__file__).resolve().parents[2]/"shared"


class StrictShell(nbdev.test.CaptureShell):
    "Runs a notebook, then looks through what it printed."
    def run_all(self, nb, **kwargs):
        super().run_all(nb, **kwargs)
        said = "".join("".join(o.get("text", "")) for c in nb.cells for o in c.get("outputs", ()))
        skipped = next((line for line in said.splitlines() if line.startswith("skipped: ../shared")), None)
        if skipped is None: return
        try: raise AssertionError(f"{BARS} is there, but the notebook says {skipped!r}")
        except AssertionError as e:
            self.exc = e  # what nbdev shows of a notebook that failed
            raise


if __name__ == "__main__":
    if BARS.is_dir(): nbdev.test.CaptureShell = StrictShell
    nbdev.test.nbdev_test()
