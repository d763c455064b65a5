/*
 * mel: log-mel spectrograms with Whisper's numbers.
 *
 * What WhisperFeatureExtractor of transformers 5.6.0 computes in its numpy
 * path (feature_extraction_whisper.py, audio_utils.py): 16 kHz mono, cut or
 * filled up with zeros to 30 s, a Hann window of 400 samples every 160, 80 or
 * 128 mel bands up to 8 kHz (Slaney), log10, at most 8 below the maximum,
 * (x + 4) / 4.  At least 99.999 % of the cells have the same bits as there;
 * every path (generic, AVX2, AVX-512) gives the same bits as every other.
 *
 * A sample is an f32 (full scale 1.0) or an i16 (full scale 32768).  A
 * spectrogram is [mels, columns], row-major: only the columns which a clip
 * reaches.  What follows up to column 3000 is one constant, the pad.
 */
#ifndef MEL_H
#define MEL_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "safetensors.h"

#define MEL_RATE_HZ 16000
#define MEL_HOP 160		/* samples from column to column */
#define MEL_WINDOW 400		/* samples that a column sees */
#define MEL_SAMPLES_MAX 480000	/* 30 s: what is behind that is dropped */
#define MEL_COLUMNS_MAX 3000

/*
 * Of a clip of SAMPLES: the sum of feature_attention_mask, which is
 * ceil(samples / 160), and the columns that differ from the pad, which are
 * ceil((samples + 200) / 160), since windows are centred; at most 3000.
 */
uint32_t mel_frames(uint64_t samples);
uint32_t mel_columns(uint64_t samples);

/*
 * The audio tokens of Qwen2-Audio for so many frames, as its processor has
 * it: ((frames - 1) // 2 + 1 - 2) // 2 + 1.  0 for fewer than 3 frames.
 */
uint32_t mel_tokens(uint32_t frames);

/* Which code does the work: what the processor can, or as a test demands. */
enum mel_path { MEL_GENERIC, MEL_AVX2, MEL_AVX512, MEL_PATHS };

/* "generic", "avx2", "avx512"; whether this build and processor have it. */
const char *mel_path_name(enum mel_path path);
bool mel_path_works(enum mel_path path);

/*
 * The tables for MELS bands, 80 or 128 (else ERR_MODEL), and the fastest path
 * that works.  Constant from then on, but for mel_plan_force: threads share
 * it.  NULL on failure.
 */
struct mel_plan;
struct mel_plan *mel_plan_new(unsigned mels, struct err *e) ERR_CHECK;
void mel_plan_free(struct mel_plan *p);
unsigned mel_plan_mels(const struct mel_plan *p);
enum mel_path mel_plan_path(const struct mel_plan *p);

/* Take PATH, which works. */
void mel_plan_force(struct mel_plan *p, enum mel_path path);

/* Room to work in, some 2 MB: one a thread.  NULL on failure. */
struct mel_work;
struct mel_work *mel_work_new(struct err *e) ERR_CHECK;
void mel_work_free(struct mel_work *w);

/*
 * The spectrogram of the N samples at PCM, which are PCM_TYPE (DTYPE_F32 or
 * DTYPE_I16), to OUT, which has room for mels x mel_columns(N) values of TYPE
 * (DTYPE_F32, DTYPE_F16 or DTYPE_BF16; rounded to nearest, ties to even).
 * *PAD is what every column behind these holds, after that rounding.
 * Samples that are infinite or no numbers give values that mean nothing.
 */
void mel_compute(const struct mel_plan *p, struct mel_work *w,
    enum dtype pcm_type, const void *pcm, uint64_t n, enum dtype type,
    void *out, float *pad);

#endif
