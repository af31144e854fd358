"`import synth_miner` costs under 0.3 s more than Python alone, loads no heavy library, and still lists everything public."
import subprocess
import sys
import time


def seconds(code: str) -> float:
    "Best of five starts of Python."
    def once():
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start
    return min(once() for _ in range(5))


more = seconds("import synth_miner") - seconds("pass")
print(f"import synth_miner takes {more:.3f} s more than Python alone")
whole = subprocess.run([sys.executable, "-c", """
import sys, synth_miner
names = synth_miner.__all__
assert set(names) <= set(dir(synth_miner)) and len(names) > 20, names
heavy = {'torch', 'pandas', 'numpy', 'matplotlib', 'hydra', 'wandb', 'sklearn', 'huggingface_hub'} & set(sys.modules)
assert not heavy, f'import synth_miner loads {heavy}'
lost = []
for name in names:
    try: getattr(synth_miner, name)
    except Exception as e: lost.append(f'{name}: {e!r}')
assert not lost, lost
print(len(names), 'public names, all importable')
"""])
sys.exit(whole.returncode or more >= 0.3)
