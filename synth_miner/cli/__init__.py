"""The command line, `synth-miner`; `main` is its entry point. Each module here is made from a notebook in nbs/cli."""

from .command import main

__all__ = ["main"]
