/*
 * melbank: the filter bank and the window, as transformers computes them
 * (audio_utils.py: mel_filter_bank, window_function), in f64.
 *
 * By additions, multiplications and divisions alone: the same bits whatever
 * the C library.  Within 1e-15 of numpy's.
 */
#ifndef MELBANK_H
#define MELBANK_H

#define MELBANK_BINS 201
#define MELBANK_WINDOW 400

/* The periodic Hann window. */
void melbank_window(double w[MELBANK_WINDOW]);

/* The weights of MELS bands, one after the other, MELBANK_BINS each: Slaney
 * scale and norm, 0 to 8000 Hz at 16 kHz. */
void melbank_filters(unsigned mels, double *weights);

#endif
