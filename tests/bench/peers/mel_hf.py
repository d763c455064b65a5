"""mel_hf.py: WhisperFeatureExtractor on a clip of 30 s, on demand.

Each line on stdin, "numpy" or "torch", is answered by the milliseconds of CPU
that this path of it took (the best of a few calls), and those of the whole
call where it takes that path.
"""
import sys
import time

import numpy as np
import torch
from transformers import WhisperFeatureExtractor
from transformers.models.whisper import feature_extraction_whisper

CALLS = 5

torch.set_num_threads(1)
extractor = WhisperFeatureExtractor(feature_size=128)
clip = np.random.default_rng(1).standard_normal(480000).astype(np.float32) * 0.1


def best(call):
    times = []
    for _ in range(CALLS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times) * 1e3


def whole(path):
    # The call takes torch's path wherever torch is installed.
    has_torch = feature_extraction_whisper.is_torch_available
    feature_extraction_whisper.is_torch_available = lambda: path == "torch"
    try:
        return best(lambda: extractor(clip, sampling_rate=16000,
                                      return_tensors="np"))
    finally:
        feature_extraction_whisper.is_torch_available = has_torch


paths = {"numpy": extractor._np_extract_fbank_features,
         "torch": extractor._torch_extract_fbank_features}

def path_alone(path):
    return best(lambda: paths[path](clip[None], "cpu"))


for line in sys.stdin:
    print(path_alone(line.strip()), whole(line.strip()), flush=True)
