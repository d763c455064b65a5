#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"
#include "container.h"
#include "filebuf.h"
#include "flacframe.h"
#include "mpegframe.h"
#include "oggpage.h"
#include "truncated.h"

/* Sun's: ".snd", where the data begin, how many bytes they are. */
static int
check_au(struct filebuf *b, bool big, struct err *e)
{
	const unsigned char *p = filebuf_peek(b, 0, 24);
	uint64_t at, size;

	if (p == NULL)
		return truncated_header(e);
	at = filebuf_number(p + 4, 4, big);
	size = filebuf_number(p + 8, 4, big);
	if (at > b->size)
		return truncated_header(e);
	if (truncated_unknown(size, 4) || size <= b->size - at)
		return 0;
	return truncated_short_of(size, b->size - at, e);
}

/* The whole number after NAME in NIST's header, or 0. */
static uint64_t
nist_field(const char *header, const char *name)
{
	const char *p = strstr(header, name);

	return p == NULL ? 0 : strtoull(p + strlen(name), NULL, 10);
}

/* NIST's SPHERE: a header of text. */
static int
check_nist(struct filebuf *b, struct err *e)
{
	char header[1025];
	uint64_t at, count, size, channels;

	if (filebuf_read(b, 0, header, 1024) < 1024)
		return truncated_header(e);
	header[1024] = '\0';
	at = strtoull(header + 8, NULL, 10);
	count = nist_field(header, "sample_count -i ");
	size = nist_field(header, "sample_n_bytes -i ");
	channels = nist_field(header, "channel_count -i ");
	if (size > 8 || channels > 1024 || count > UINT64_MAX / (8 * 1024))
		return 0;
	if (at > b->size)
		return truncated_header(e);
	if (channels == 0)
		channels = 1;
	if (size * channels * count > b->size - at)
		return truncated_short_of(size * channels * count,
		    b->size - at, e);
	return 0;
}

/* Creative's: blocks, of which the last has type 0 and no length. */
static int
check_voc(struct filebuf *b, struct err *e)
{
	const unsigned char *p = filebuf_peek(b, 20, 2);
	uint64_t at;

	if (p == NULL)
		return truncated_header(e);
	for (at = filebuf_number(p, 2, false);;) {
		uint64_t size;

		p = filebuf_peek(b, at, 1);
		if (p == NULL) {
			return truncated_say(e, "the file has no last block");
		}
		if (p[0] == 0)
			return 0;
		p = filebuf_peek(b, at, 4);
		if (p == NULL)
			return truncated_header(e);
		size = filebuf_number(p + 1, 3, false);
		if (size > b->size - at - 4)
			return truncated_short_of(size, b->size - at - 4, e);
		at += 4 + size;
	}
}

/*
 * FLAC: the blocks before the frames.  (Frames themselves are the decoder's
 * to miss: the header has their number of samples.)
 */
static int
check_flac(struct filebuf *b, uint64_t at, struct err *e)
{
	bool last = false;
	uint64_t samples = 1;

	for (at += 4; !last;) {
		const unsigned char *p = filebuf_peek(b, at, 4);
		uint64_t size;

		if (p == NULL)
			return truncated_header(e);
		last = (p[0] & 0x80) != 0;
		if ((p[0] & 0x7f) == 0 && (p = filebuf_peek(b, at, 22)) != NULL)
			samples = filebuf_number(p + 17, 5, true) &
			    0xfffffffff;
		if ((p = filebuf_peek(b, at, 4)) == NULL)
			return truncated_header(e);
		size = filebuf_number(p + 1, 3, true);
		if (size > b->size - at - 4)
			return truncated_header(e);
		at += 4 + size;
	}
	if (at == b->size)
		return samples == 0 ? 0 : truncated_header(e);
	return samples == 0 ? flacframe_check(b, at, e) : 0;
}

int
container_check(struct filebuf *b, struct err *e)
{
	uint64_t at = mpegframe_skip_tags(b);
	const unsigned char *p = filebuf_peek(b, at, 8);
	unsigned char begin[8];
	bool chunks;

	if (p == NULL)
		return at > 0 ? truncated_header(e) : 0;
	memcpy(begin, p, sizeof begin);
	if (memcmp(begin, "fLaC", 4) == 0)
		return check_flac(b, at, e);
	if (memcmp(begin, "OggS", 4) == 0)
		return oggpage_check(b, at, e);
	if (memcmp(begin, ".snd", 4) == 0 || memcmp(begin, "dns.", 4) == 0)
		return check_au(b, begin[0] == '.', e);
	if (memcmp(begin, "NIST_1A", 7) == 0)
		return check_nist(b, e);
	if (memcmp(begin, "Creative", 8) == 0)
		return check_voc(b, e);
	if (chunk_check(b, &chunks, e) < 0)
		return -1;
	return chunks ? 0 : mpegframe_check(b, at, e);
}
