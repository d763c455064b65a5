#!/usr/bin/env python3
"""make_cutoff.py [ROOT]

Asks LLaMA-Factory 0.9.5's infer_seqlen what it keeps, and writes
tests/golden/cutoff.txt: lines of [source, target, limit, source, target].
"""
import random
import sys
from pathlib import Path

from llamafactory.data.processor.processor_utils import infer_seqlen


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    r = random.Random(1)
    cases = [(s, t, limit) for limit in (1, 2, 7, 10) for s in (1, 3, 4, 5, 9, 20) for t in (1, 2, 3, 4, 5, 6, 20)]
    for limit in (64, 300, 2048, 131072):
        half = limit // 2
        cases += [(s, t, limit) for s in (half - 1, half, half + 1) for t in (half - 1, half, half + 1, limit)]
        cases += [(r.randint(1, 4 * limit), r.randint(1, 4 * limit), limit) for _ in range(100)]
    with open(root / "tests/golden/cutoff.txt", "w", encoding="utf-8") as f:
        for case in cases:
            f.write(str([*case, *infer_seqlen(*case)]) + "\n")


if __name__ == "__main__":
    main()
