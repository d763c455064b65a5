"""lhotse_shar.py DATA MODEL OUT [--limit N]: Lhotse's Shar, with its own
Whisper features, which it computes over the clip alone."""
from pathlib import Path

from lhotse import Recording
from lhotse.features.io import MemoryRawWriter
from lhotse.features.whisper_fbank import WhisperFbank, WhisperFbankConfig
from lhotse.shar import SharWriter

from featurise import RATE, Featurise, arguments, rows


def main() -> None:
    args = arguments()
    args.out.mkdir(parents=True)
    featurise = Featurise(args.model)
    extractor = WhisperFbank(WhisperFbankConfig(num_filters=128))
    with SharWriter(str(args.out), fields={"features": "numpy"},
                    warn_unused_fields=False) as writer:
        for i, row in enumerate(rows(args)):
            path = Path(row["audios"][0])
            recording = Recording.from_file(path, recording_id=path.stem)
            cut = recording.to_cut()
            if recording.num_channels > 1:
                cut = cut.to_mono(mono_downmix=True)
            if recording.sampling_rate != RATE:
                cut = cut.resample(RATE)
            cut = cut.compute_and_store_features(extractor, MemoryRawWriter())
            texts = featurise.texts(row, cut.num_frames)
            cut.custom = {name: ids.tolist() for name, ids in texts.items()}
            writer.write(cut.with_id(f"{i:08d}"))


if __name__ == "__main__":
    main()
