"""The whole pipe, from the demo's JSON to a shard, against LLaMA-Factory.

Ids and labels are LLaMA-Factory's to the last one; the mel of WAV and FLAC
is that of its numpy path over librosa's samples, to the bit in nearly every
cell.  Whatever goes in comes out, in the shard or in the rejects.
"""
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import streams

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
BROKEN = (23, 29)       # a count that does not match, a clip that is cut
PIPES = {
    "tokpack-last": "{b}/jsonl-split data.json | {b}/dpo-pair | {b}/audio-check --root {root} |"
                    " {b}/melspec -m {m} | {b}/tokpack -m {m} -r {r} -o {o}",
    "melspec-last": "{b}/jsonl-split data.json | {b}/dpo-pair | {b}/audio-check --root {root} |"
                    " {b}/tokpack -m {m} -r {r} | {b}/melspec -m {m} -o {o}",
}


@pytest.fixture(scope="module")
def mended(tmp_path_factory):
    """The demo without the two records that are broken on purpose."""
    folder = tmp_path_factory.mktemp("mended")
    records = json.loads((DEMO / "data.json").read_text())
    (folder / "data.json").write_text(json.dumps(
        [r for i, r in enumerate(records) if i not in BROKEN]))
    shutil.copy(DEMO / "dataset_info.json", folder)
    (folder / "clips").symlink_to(DEMO / "clips")
    return folder


def run(pipe, build, model, folder, out):
    """The shard that PIPE makes of FOLDER's data, read back, and rejects."""
    shard, rejects = out / "shard.zst", out / "rejects.jsonl"
    line = "set -o pipefail; " + PIPES[pipe].format(b=build, m=model, root=DEMO, r=rejects, o=shard)
    subprocess.run(["bash", "-c", line], cwd=folder, check=True)
    return streams.read(shard.read_bytes()), [json.loads(x) for x in rejects.open()]


@pytest.mark.parametrize("pipe", PIPES)
@pytest.mark.parametrize("vocabulary", ["demo", "real"])
def test_ids_and_labels_are_all_equal(pipe, vocabulary, build, model_dir, oracle, mended, tmp_path):
    model = DEMO / "model" if vocabulary == "demo" else model_dir
    rows = oracle(mended, "demo", model=model, audio="soxr_hq")
    shard, rejects = run(pipe, build, model, mended, tmp_path)
    assert not rejects and len(shard) == len(rows) == 30
    for row, (_, tensors) in zip(rows, shard):
        for name in ("chosen_input_ids", "chosen_labels", "rejected_input_ids", "rejected_labels"):
            assert tensors[name].tolist() == row[name]


def test_the_mel_of_the_demo_is_that_of_the_numpy_path(build, model_dir, oracle, mended, tmp_path):
    oracle(mended, "demo", audio="soxr_hq", fe="numpy", mel=tmp_path / "mel")
    index = [json.loads(x) for x in (tmp_path / "mel" / "index.jsonl").open()]
    want = {Path(x["audio"]).name: (np.load(tmp_path / "mel" / f"{x['n']:06d}.npy"), x) for x in index}
    shard, _ = run("tokpack-last", build, model_dir, mended, tmp_path)
    seen, cells, equal = set(), 0, 0
    for record, tensors in shard:
        for k, facts in enumerate(record.get("audio", [])):
            mel, x = want[Path(facts["path"]).name]
            got = np.full_like(mel, facts["pad"])
            part = tensors[f"input_features.{k}"]
            got[:, :part.shape[1]] = part
            assert (facts["frames"], facts["tokens"]) == (x["frames"], x["tokens"])
            largest = np.abs(got - mel).max()
            if Path(facts["path"]).suffix in (".wav", ".flac"):
                cells, equal = cells + mel.size, equal + int((got == mel).sum())
                assert largest < 1e-5
            elif facts["path"] not in seen:
                print(f"{facts['path']}: largest difference {largest:.2e}")
            seen.add(facts["path"])
    print(f"WAV and FLAC: {cells} cells, {cells - equal} differ")
    assert equal >= 0.99999 * cells
    assert len(seen) >= 10


def test_what_goes_in_comes_out_or_is_rejected(build, model_dir, tmp_path):
    records = json.loads((DEMO / "data.json").read_text())
    shard, rejects = run("tokpack-last", build, model_dir, DEMO, tmp_path)
    starts = [r["at"]["offset"] for r, _ in shard]
    assert len(shard) == len(records) - len(BROKEN) and starts == sorted(starts)
    assert [r["error"]["code"] for r in rejects] == ["audio-count", "audio-truncated"]
    places = sorted(starts + [r["at"]["offset"] for r in rejects])
    assert len(set(places)) == len(records)
    assert [places.index(r["at"]["offset"]) for r in rejects] == list(BROKEN)
