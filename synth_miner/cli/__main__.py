"""`python -m synth_miner.cli` is the command `synth-miner`."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
