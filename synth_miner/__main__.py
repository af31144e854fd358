"""`python -m synth_miner` is the command `synth-miner`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
