"""Runs every test in random orders, then once more while other processes keep all cores busy."""

import argparse
import contextlib
import multiprocessing
import os
import random
import subprocess
import sys
from collections.abc import Iterator

ORDERS = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.shuffle", description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int, help="of the orders; without any, three are drawn")
    parser.add_argument("--workers", default="3", help="how many processes run tests")
    arguments = parser.parse_args()
    seeds = arguments.seeds or random.sample(range(10_000), ORDERS)
    print(f'To repeat this: make shuffle SEEDS="{" ".join(map(str, seeds))}"', flush=True)
    passed = {f"order {seed}": _run(seed, arguments.workers) for seed in seeds}
    with _busy_cores():
        passed[f"order {seeds[-1]}, cores busy"] = _run(seeds[-1], arguments.workers)
    for name, is_passed in passed.items():
        print(f"{name}: {'passed' if is_passed else 'FAILED'}")
    return 0 if all(passed.values()) else 1


def _run(seed: int, workers: str) -> bool:
    how = ["-n", workers, "--shuffle", str(seed)]
    return subprocess.run([sys.executable, "-m", "pytest", *how]).returncode == 0


@contextlib.contextmanager
def _busy_cores() -> Iterator[None]:
    busy = [multiprocessing.Process(target=_compute, daemon=True) for _ in range(os.cpu_count() or 1)]
    for process in busy:
        process.start()
    try:
        yield
    finally:
        for process in busy:
            process.kill()


def _compute() -> None:
    while True:
        pass


if __name__ == "__main__":
    sys.exit(main())
