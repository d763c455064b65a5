"""The oracle itself: LLaMA-Factory reads the demo as it lies there."""
import json
import shutil
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
BROKEN = (23, 29)       # a count that does not match, a clip that is cut


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


def test_it_keeps_all_whole_records_of_the_demo(oracle, mended):
    rows = oracle(mended, "demo", model=DEMO / "model")
    assert len(rows) == 30
    assert all(row["chosen_input_ids"] for row in rows)


def test_it_stops_at_the_record_that_miscounts(oracle):
    with pytest.raises(RuntimeError, match="number of audios does not match"):
        oracle(DEMO, "demo", model=DEMO / "model")


def test_the_real_vocabulary_gives_the_ids_of_the_model(model_dir):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_dir)
    assert tokenizer.convert_tokens_to_ids("<|AUDIO|>") == 151646
    assert tokenizer("<|30.00|>").input_ids == [154650]
    assert tokenizer("Hello, 世界").input_ids == [9707, 11, 220, 99489]
