"A notebook with a new block, dropped into nbs/blocks/ and exported, is usable by name with no other file edited; then it is gone again."
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT/"nbs"/"blocks"/"dropped_in.ipynb"
CELLS = [
    ("code", "#| default_exp blocks.dropped_in"),
    ("markdown", "# Dropped in\n\n> A block that was not there before"),
    ("code", "#| export\nfrom synth_miner.blocks.base import BlockBase\nfrom synth_miner.parts import registry"),
    ("code", "#| export\n@registry.register_block(causal=True, cost=\"low\", best_for=\"a trial\")\nclass DroppedInBlock(BlockBase):\n    \"Twice its input.\"\n    def __init__(self,\n        d_model: int, # width D\n"
             "    ): super().__init__()\n    def forward(self, x): return 2 * x"),
]
SMALL = ["training.epochs=1", "training.steps_per_epoch=2", "training.val_windows=8", "training.n_paths=8", "backtest.n_paths=20", "backtest.every=6h", "data.source.length=6000"]


def cell(i: int, kind: str, source: str) -> dict:
    "One cell in the notebook format."
    return {"cell_type": kind, "id": f"dropped{i}", "metadata": {}, "source": source, **({"outputs": [], "execution_count": None} if kind == "code" else {})}


def main() -> int:
    "The exit status."
    nb = {"cells": [cell(i, *c) for i, c in enumerate(CELLS)], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    try:
        NOTEBOOK.write_text(json.dumps(nb), encoding="utf-8")
        subprocess.run(["nbdev_export"], cwd=ROOT, check=True)
        with tempfile.TemporaryDirectory() as out:
            words = ["synth-miner", "model.backbone.blocks=[droppedinblock,lstmblock]", f"output_dir={out}", *SMALL]
            subprocess.run(words, cwd=out, check=True)
            words[1] = "model.backbone.blocks=[{_target_: synth_miner.blocks.dropped_in.DroppedInBlock}]"
            subprocess.run(words, cwd=out, check=True)
    finally:
        NOTEBOOK.unlink(missing_ok=True)
        (ROOT/"synth_miner"/"blocks"/"dropped_in.py").unlink(missing_ok=True)
        subprocess.run(["nbdev_export"], cwd=ROOT, check=True)
    return 0


if __name__ == "__main__": sys.exit(main())
