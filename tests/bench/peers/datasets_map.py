"""datasets_map.py DATA MODEL OUT [--limit N]: Hugging Face datasets' map and
save_to_disk."""
import os
import sys

# A cache of an earlier run would answer for this one.
os.environ["HF_DATASETS_CACHE"] = sys.argv[3] + ".cache"

import datasets

from featurise import Clock, Featurise, arguments


def main() -> None:
    args = arguments()
    datasets.disable_progress_bars()
    featurise = Featurise(args.model)
    table = datasets.load_dataset("json", data_files=str(
        args.data / "data.json"), split="train")
    if args.limit is not None:
        table = table.select(range(args.limit))

    clock = Clock(args.out)

    def one(row: dict) -> dict:
        clock.row()
        row["audios"] = [str(args.data / path) for path in row["audios"]]
        return featurise(row)

    table.map(one, remove_columns=table.column_names,
              writer_batch_size=100).save_to_disk(str(args.out))


if __name__ == "__main__":
    main()
