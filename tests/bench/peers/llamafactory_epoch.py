"""llamafactory_epoch.py DATA MODEL OUT [--limit N]: what LLaMA-Factory does
before a model sees its first epoch.

It tokenises in the map over its data set, and decodes and transforms the audio
in its collator, in each epoch anew; here the collator goes over all pairs
once, as train/dpo/workflow.py sets it up, in one process.  OUT/times.json tells
the CPU seconds of the collator alone.
"""
import argparse
import json
import os
import sys
import time
from pathlib import Path

# A cache of an earlier run would answer for this one.
os.environ["HF_DATASETS_CACHE"] = sys.argv[3] + ".cache"
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from llamafactory.data import (PairwiseDataCollatorWithPadding, get_dataset,
                               get_template_and_fix_tokenizer)
from llamafactory.extras.constants import IGNORE_INDEX
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer

BATCH = 4


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True)
    model_args, data_args, training_args, _, _ = get_train_args({
        "stage": "dpo", "do_train": True, "finetuning_type": "full",
        "model_name_or_path": str(args.model), "template": "qwen2_audio",
        "dataset": "bench", "dataset_dir": str(args.data),
        "media_dir": str(args.data), "cutoff_len": 2048,
        "max_samples": args.limit, "overwrite_cache": True,
        "output_dir": str(args.out), "report_to": "none", "use_cpu": True})
    parts = load_tokenizer(model_args)
    template = get_template_and_fix_tokenizer(parts["tokenizer"], data_args)
    table = get_dataset(template, model_args, data_args, training_args,
                        stage="rm", **parts)["train_dataset"]
    collator = PairwiseDataCollatorWithPadding(
        template=template, model=None, pad_to_multiple_of=8,
        label_pad_token_id=IGNORE_INDEX, **parts)
    start = time.process_time()
    pairs = 0
    for at in range(0, len(table), BATCH):
        batch = collator([table[i] for i in range(
            at, min(at + BATCH, len(table)))])
        pairs += len(batch["input_ids"]) // 2
    (args.out / "times.json").write_text(json.dumps(
        {"pairs": pairs, "epoch": time.process_time() - start}))


if __name__ == "__main__":
    main()
