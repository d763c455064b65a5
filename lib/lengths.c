#include "buf.h"
#include "lengths.h"
#include "safetensors.h"
#include "table.h"

static int
put_u32(struct buf *out, uint64_t n, struct err *e)
{
	uint32_t v = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;

	return buf_put(out, &v, sizeof v, e);
}

int
lengths_put(struct buf *out, struct jsonspan audio,
    const struct tensor *chosen, const struct tensor *rejected,
    struct err *e)
{
	struct jsonwalk w = jsonwalk_start(audio);

	if (put_u32(out, chosen == NULL ? 0 : chosen->shape[0], e) < 0 ||
	    put_u32(out, rejected == NULL ? 0 : rejected->shape[0], e) < 0 ||
	    put_u32(out, jsonscan_count(audio), e) < 0)
		return -1;
	while (jsonwalk_next(&w)) {
		int64_t tokens = 0;

		if (!jsonscan_int(jsonscan_get(w.value, "tokens"), 0,
		    UINT32_MAX, &tokens))
			tokens = 0;
		if (put_u32(out, (uint64_t)tokens, e) < 0)
			return -1;
	}
	return 0;
}

const char *
lengths_row(const char *p, struct stream_lengths *row)
{
	/* Rows are made of whole u32 at the start of a buf: aligned. */
	const uint32_t *u = (const void *)p;

	*row = (struct stream_lengths){
		.chosen = u[0], .rejected = u[1], .n_audios = u[2],
		.audio = u + 3,
	};
	return (const void *)(u + 3 + u[2]);
}
