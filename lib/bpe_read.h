/*
 * bpe_read: the JSON of a tokenizer.json, read once and in order.
 *
 * The file has 12 MB, most of it 450,000 short strings, so that it is
 * neither made a tree of nor walked level by level.  A cursor reads strict
 * JSON; a fault is ERR_MODEL and names the line.
 */
#ifndef BPE_READ_H
#define BPE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "jsonscan.h"

#define BPE_READ_SLACK 16

struct bpe_cursor {
	const char *p, *end, *start;
	const char *where;	/* what is being read: "model.vocab" */
};

/* A fault at the cursor: "tokenizer.json:12: model.vocab: TEXT". */
int bpe_read_fault(const struct bpe_cursor *c, struct err *e,
    const char *text);

/* Step over whitespace. */
void bpe_read_space(struct bpe_cursor *c);

/* Take the punctuation CH, with the whitespace before it, or fail. */
int bpe_read_mark(struct bpe_cursor *c, char ch, struct err *e) ERR_CHECK;

/*
 * Whether a member or element follows: to be called after the opening
 * bracket with FIRST true, and after each member.  1; 0 after CLOSE, which is
 * taken; -1.
 */
int bpe_read_more(struct bpe_cursor *c, char close, bool first,
    struct err *e) ERR_CHECK;

/*
 * Read a string that names a token: the bytes that it stands for go to OUT,
 * which has room for as many as are left of the text, their count to *N.
 * *RAW where some character is none of the byte alphabet: OUT then has the
 * string as it is written, in UTF-8.
 */
int bpe_read_token(struct bpe_cursor *c, char *out, size_t *n, bool *raw,
    struct err *e) ERR_CHECK;

/* Read a member of the vocabulary: a token, as above, and its id, which is
 * less than MAX. */
int bpe_read_entry(struct bpe_cursor *c, char *out, size_t *n, bool *raw,
    uint32_t max, uint32_t *id, struct err *e) ERR_CHECK;

/*
 * Read a merge, ["a","b"] or "a b", if its halves together are written as the
 * string at WHOLE, its quote, somewhere before in the text; and neither holds
 * an escape.  The bytes that each stands for, in the byte alphabet, go to
 * *LEFT_N and *RIGHT_N.  False, and nothing is read, where it is not so.
 */
bool bpe_read_halves(struct bpe_cursor *c, const char *whole, size_t *left_n,
    size_t *right_n);

/* Read a string, as it is written, quotes and escapes included. */
int bpe_read_string(struct bpe_cursor *c, struct jsonspan *text,
    struct err *e) ERR_CHECK;

/* Read any value, which is checked, and give its span. */
int bpe_read_value(struct bpe_cursor *c, struct jsonspan *value,
    struct err *e) ERR_CHECK;

/* Step over a value without a check: for one that is read later. */
int bpe_read_skip(struct bpe_cursor *c, struct jsonspan *value,
    struct err *e) ERR_CHECK;

/*
 * The bytes that the N bytes of UTF-8 at TEXT stand for in the byte
 * alphabet, to OUT (of N bytes): their count, or -1 where some character is
 * not of it.
 */
int64_t bpe_read_bytes(const char *text, size_t n, char *out);

#endif
