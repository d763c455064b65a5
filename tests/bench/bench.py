"""bench.py [--rounds N] [PART...]: measure, print, and write the table.

Each module in parts/ is a part; its first line is its title.  What a part
finds, met or not met, is a result: the exit status is 1 only where something
could not run.  The table is BUILD/bench/bench.md, and bench.json beside it.
"""
from __future__ import annotations

import argparse
import datetime
import importlib
import os
import pkgutil
import subprocess
import sys
import time
import traceback
from pathlib import Path

import parts
import report
from context import Context
from data import Data

HERE = Path(__file__).resolve().parent


def all_parts() -> list:
    """The modules of the parts, in the order of their TARGET."""
    modules = [importlib.import_module(f"parts.{m.name}")
               for m in pkgutil.iter_modules(parts.__path__)]
    return sorted((m for m in modules if hasattr(m, "run")),
                  key=lambda m: (getattr(m, "TARGET", 99), m.__name__))


def name_of(module) -> str:
    return module.__name__.partition(".")[2]


def model_dir() -> Path:
    """The directory that the conformance tests make, and keep."""
    if "OSSICLE_MODEL_DIR" in os.environ:
        return Path(os.environ["OSSICLE_MODEL_DIR"]).resolve()
    conformance = HERE.parent / "conformance"
    sys.path.insert(0, str(conformance))
    from conftest import cached

    script = conformance / "make_model_dir.py"
    demo = HERE.parents[1] / "examples" / "demo" / "model"
    sources = [script, *sorted(p for p in demo.iterdir() if p.is_file())]
    return cached("model", sources, lambda folder: subprocess.run(
        [sys.executable, script, folder], check=True))


def make_context(rounds: int) -> Context:
    build = Path(os.environ["BUILD"]).resolve()
    work = build / "bench" / "work"
    work.mkdir(parents=True, exist_ok=True)
    model = model_dir()
    return Context(build=build, bench=build / "bench", work=work, model=model,
                   originals=os.environ["ORIGINALS"],
                   peers=os.environ["PEERS"], rounds=rounds,
                   data=Data(work, model))


def run_part(module, ctx: Context) -> tuple[list[report.Row], bool]:
    """The rows of MODULE, shown as they come, and whether it could run."""
    rows = []
    try:
        for row in module.run(ctx):     # a list, or a generator
            print(report.line(row), flush=True)
            rows.append(row)
        return rows, True
    except Exception as fault:  # the other parts are still worth having
        traceback.print_exc()
        said = str(fault).strip().splitlines()[-1:] or [repr(fault)]
        return [*rows, report.Row(name_of(module), "could not run",
                                  said[0])], False


def main() -> int:
    found = all_parts()
    names = [name_of(m) for m in found]
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help="of " + ", ".join(names))
    args = parser.parse_args()
    for name in args.parts:
        if name not in names:
            parser.error(f"no such part: {name}")

    ctx = make_context(args.rounds)
    about = report.machine(ctx.originals, ctx.peers)
    print("\n".join(report.describe(about)), flush=True)
    results, all_ran = [], True
    for module in found:
        if args.parts and name_of(module) not in args.parts:
            continue
        title = (module.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        print(f"\n{name_of(module)}: {title}", flush=True)
        start = time.monotonic()
        rows, ran = run_part(module, ctx)
        all_ran = all_ran and ran
        print(f"  ({time.monotonic() - start:.0f} s)", flush=True)
        results.append((name_of(module), title, rows))
    report.write(ctx.bench, datetime.date.today().isoformat(), about,
                 args.rounds, results)
    print(f"\nwritten: {ctx.bench / 'bench.md'}, bench.json beside it")
    return 0 if all_ran else 1


if __name__ == "__main__":
    sys.exit(main())
