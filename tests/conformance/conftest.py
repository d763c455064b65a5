"""Fixtures of the conformance tests, and their last line."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def build():
    """The folder with the programs."""
    return Path(os.environ.get("BUILD", HERE.parents[1] / "build")).resolve()


def cached(name, sources, make):
    """A folder that MAKE fills once for each state of its SOURCES."""
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in sources))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "ossicle" / f"{name}-{digest.hexdigest()[:16]}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        (folder / "complete").touch()
    return folder


@pytest.fixture(scope="session")
def model_dir():
    """A model directory with the real vocabulary of Qwen2-Audio."""
    if "OSSICLE_MODEL_DIR" in os.environ:
        return Path(os.environ["OSSICLE_MODEL_DIR"])
    script = HERE / "make_model_dir.py"
    demo = HERE.parents[1] / "examples" / "demo" / "model"
    sources = [script, *sorted(p for p in demo.iterdir() if p.is_file())]
    return cached("model", sources, lambda folder: subprocess.run(
        [sys.executable, script, folder], check=True))


@pytest.fixture(scope="session")
def oracle(model_dir):
    """oracle(dataset_dir, name, **options): what LLaMA-Factory makes of a
    data set, a dict for each row that it keeps.  OPTIONS are those of
    lf_oracle.py, with _ for -; `model' is model_dir where it is not given."""

    def run(dataset_dir, name, **options):
        options = {"model": model_dir, "dataset_dir": dataset_dir,
                   "dataset": name, **options}
        argv = [sys.executable, str(HERE / "lf_oracle.py")]
        for option, value in options.items():
            argv += ["--" + option.replace("_", "-"), str(value)]
        done = subprocess.run(argv, capture_output=True, text=True,
                              check=False, env={**os.environ,
                                                "OMP_NUM_THREADS": "1"})
        if done.returncode != 0:
            raise RuntimeError(f"LLaMA-Factory stopped:\n{done.stderr[-4000:]}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def pytest_unconfigure(config):
    """The last line counts as failed whatever has not passed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    counts = {kind: len(reporter.stats.get(kind, ())) for kind in
              ("passed", "failed", "error", "skipped", "xfailed", "xpassed")}
    passed = counts.pop("passed")
    print(f"{passed} passed, {sum(counts.values()) or int(passed == 0)} failed")
