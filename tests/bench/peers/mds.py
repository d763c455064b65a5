"""mds.py DATA MODEL OUT [--limit N] [--processor]: MosaicML's streaming shards, zstd 3."""
import sys
import types

# The package imports its picture data sets, and so torchvision, wherever it is
# used; the writer needs neither.
sys.modules["streaming.vision"] = types.ModuleType("streaming.vision")

from streaming import MDSWriter

from featurise import Featurise, Processor, arguments, rows

COLUMNS = {"input_features": "ndarray:float32",
           **{f"{side}_{what}": "ndarray:int32"
              for side in ("chosen", "rejected")
              for what in ("input_ids", "labels")}}


def main() -> None:
    args = arguments()
    featurise = (Processor if args.processor else Featurise)(args.model)
    with MDSWriter(out=str(args.out), columns=COLUMNS,
                   compression="zstd:3") as writer:
        for row in rows(args):
            writer.write(featurise(row))


if __name__ == "__main__":
    main()
