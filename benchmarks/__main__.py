"""Runs every benchmark, one process each: `python -m benchmarks`."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Run them one after the other; each prints its own table."""
    for path in sorted(HERE.glob("[a-z]*.py")):
        print(f"\n{path.stem}", flush=True)
        subprocess.run([sys.executable, str(path)], check=True)


if __name__ == "__main__":
    main()
