"""examples/hf-datasets: audio that lies inside a data set comes out whole."""
import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
CLIPS = sorted((HERE / "examples/demo/clips").glob("*"))[:4]


def row(k):
    return {"prompt": [{"role": "user", "content": "<audio>What?"}],
            "chosen": [{"role": "assistant", "content": f"yes {k}"}],
            "rejected": [{"role": "assistant", "content": "no"}]}


def make(form, folder):
    from datasets import Audio, Dataset, Features, List

    if form == "json":
        source = folder / "data.json"
        source.write_text(json.dumps([{**row(k), "audios": [{
            "bytes": base64.b64encode(c.read_bytes()).decode(), "path": c.name}]}
            for k, c in enumerate(CLIPS)]))
        return source
    rows = Dataset.from_list([row(k) for k in range(len(CLIPS))])
    inside = [{"bytes": c.read_bytes(), "path": c.name} for c in CLIPS]
    if form == "list":
        audio = Dataset.from_dict({"audios": [[x] for x in inside]},
                                  features=Features({"audios": List(Audio(decode=False))}))
    else:
        audio = Dataset.from_dict({"audios": inside}, features=Features({"audios": Audio(decode=False)}))
    from datasets import concatenate_datasets
    data = concatenate_datasets([rows, audio], axis=1)
    if form == "disk":
        data.save_to_disk(str(folder / "saved"))
        return folder / "saved"
    data.to_parquet(str(folder / "data.parquet"))
    return folder / "data.parquet"


@pytest.mark.parametrize("form", ["parquet", "list", "disk", "json"])
def test_each_form_gives_the_same_bytes_and_goes_through_the_pipe(form, build, tmp_path):
    out = tmp_path / "out"
    subprocess.run([sys.executable, HERE / "examples/hf-datasets/export.py", make(form, tmp_path), out], check=True)
    rows = [json.loads(x) for x in (out / "data.jsonl").open()]
    assert [(out / r["audios"][0]).read_bytes() for r in rows] == [c.read_bytes() for c in CLIPS]
    line = f"cd {out}; {build}/jsonl-split data.jsonl | {build}/dpo-pair | {build}/shard-cat"
    done = subprocess.run(["bash", "-c", line], check=True, capture_output=True, text=True)
    records = [json.loads(x) for x in done.stdout.splitlines()]
    assert [r["chosen"]["content"] for r in records] == [f"yes {k}" for k in range(len(CLIPS))]
    assert all("error" not in r for r in records)
