/*
 * frame: single frames of a .zst file, to and from bytes.
 *
 * A data frame is a zstd frame with its content size and checksum
 * (RFC 8878); a skippable frame is four bytes of magic, four of length, and
 * anything.  Sizes are in bytes, "plain" before compression.  -1 fills in E,
 * with ERR_DAMAGED where bytes are not what they should be.  A codec serves
 * one thread.  source.h reads frames; here is what is in them.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

#define FRAME_MAGIC_ZSTD	0xfd2fb528u
#define FRAME_MAGIC_PREFIX	0x184d2a50u	/* u32 4, u32 N */
#define FRAME_MAGIC_PROVENANCE	0x184d2a51u
#define FRAME_MAGIC_LENGTHS	0x184d2a52u
#define FRAME_MAGIC_END		0x184d2a5du
#define FRAME_MAGIC_TABLE	0x184d2a5eu

#define FRAME_PLAIN_MAX (64u << 20)	/* default limit of a frame's content */

/* A provenance frame or an end marker is at most so long. */
#define FRAME_NOTE_MAX (16u << 20)

/* A frame as it is in the file. */
struct frame {
	uint32_t magic;		/* 0x184d2a50 to 5f, or FRAME_MAGIC_ZSTD */
	uint64_t plain;		/* a data frame's content size */
	uint64_t offset;	/* of its first byte, in the input */
	uint64_t size;		/* of all of it, in the input */
	size_t blocks;		/* where a data frame's blocks begin */
	bool stored;		/* a data frame of raw blocks only */
	struct buf raw;		/* all of it, header too; but see source.h */
};

/* Whether MAGIC is one of the sixteen of skippable frames. */
bool frame_is_skippable(uint32_t magic);

/* The part of a skippable frame behind its header. */
const char *frame_body(const struct frame *f, size_t *n);

/* The last four bytes of a data frame: the low half of its XXH64. */
uint32_t frame_checksum(const struct frame *f);

struct frame_codec;
struct frame_codec *frame_codec_new(struct err *e) ERR_CHECK;
void frame_codec_free(struct frame_codec *c);

/*
 * Make PLAIN the content of data frame F, as source_read gave it: its
 * checksum is verified.  The memory of a stored frame becomes PLAIN's, and
 * PLAIN's that of F's raw, which holds nothing of use then.
 */
int frame_expand(struct frame_codec *c, struct frame *f, struct buf *plain,
    struct err *e) ERR_CHECK;

/*
 * Append to OUT a prefix and a data frame of the N bytes at P.  LEVEL as
 * zstd has it; 0 is stored: raw blocks and a checksum.
 */
int frame_compress(struct frame_codec *c, int level, const void *p, size_t n,
    struct buf *out, struct err *e) ERR_CHECK;

/* The same of content that lies in N parts, each of which may be empty. */
struct frame_part {
	const void *p;
	size_t n;
};
int frame_gather(struct frame_codec *c, int level,
    const struct frame_part *parts, size_t n, struct buf *out,
    struct err *e) ERR_CHECK;

/* Append to OUT a skippable frame of MAGIC that holds N bytes at P. */
int frame_skippable(uint32_t magic, const void *p, size_t n, struct buf *out,
    struct err *e) ERR_CHECK;

/*
 * The plain bytes of FD, which stays the caller's: of a .zst file (frames
 * of any kind, a window of at most 128 MiB) its content, of any other file
 * what it is.  READ puts up to N bytes at P, *GOT of them, 0 at the end.
 */
struct frame_inflate;
struct frame_inflate *frame_inflate_new(int fd, struct err *e) ERR_CHECK;
bool frame_inflate_compressed(const struct frame_inflate *z);
int frame_inflate_read(struct frame_inflate *z, void *p, size_t n,
    size_t *got, struct err *e) ERR_CHECK;
void frame_inflate_free(struct frame_inflate *z);

/* The lowest and highest level frame_compress takes: the library's. */
#define FRAME_LEVEL_MIN (-131072)
#define FRAME_LEVEL_MAX 22

/* The version of the zstd library in use: "1.5.4". */
const char *frame_library_version(void);

#endif
