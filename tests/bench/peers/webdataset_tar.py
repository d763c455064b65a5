"""webdataset_tar.py DATA MODEL OUT [--limit N]: tar shards by webdataset."""
import webdataset

from featurise import Featurise, arguments, rows


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True)
    featurise = Featurise(args.model)
    with webdataset.ShardWriter(str(args.out / "%06d.tar"), maxcount=1000,
                                verbose=0) as writer:
        for i, row in enumerate(rows(args)):
            writer.write({"__key__": f"{i:08d}", **{
                f"{name}.npy": value
                for name, value in featurise(row).items()}})


if __name__ == "__main__":
    main()
