#include "cutcheck.h"
#include "encode.h"
#include "model.h"

/* The tokens of the longer answer. */
static size_t
target(const struct encode_work *w)
{
	return w->chosen.n > w->rejected.n ? w->chosen.n : w->rejected.n;
}

/* How many audios end within the N ids at IDS. */
static size_t
whole_audios(const struct encoder *x, const int32_t *ids, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ids[i] == x->tokens->audio_eos.id;
	return count;
}

/*
 * A cut of IDS, which are WHAT, to KEEP of them must leave audio whole;
 * BEFORE of the record's audios come before.
 */
static int
check_audio(const struct encoder *x, const struct bpe_ids *ids, size_t keep,
    uint64_t limit, const char *what, size_t before, struct err *e)
{
	if (keep >= ids->n ||
	    encode_count_audio(x, ids->p + keep, ids->n - keep) == 0)
		return 0;
	return err_record(e, CODE_AUDIO_CUT, "--cutoff-len %llu keeps %zu of "
	    "the %zu tokens of %s, and cuts audios[%zu]",
	    (unsigned long long)limit, keep, ids->n, what,
	    before + whole_audios(x, ids->p, keep));
}

int
cutcheck_run(const struct encoder *x, const struct encode_work *w,
    uint64_t limit, struct cutoff *keep, struct err *e)
{
	size_t audios;

	*keep = cutoff_infer(w->prompt.n, target(w), limit);
	if (keep->source == w->prompt.n && keep->target == target(w))
		return 0;
	audios = whole_audios(x, w->prompt.p, w->prompt.n);
	if (check_audio(x, &w->prompt, keep->source, limit, "the prompt", 0,
	    e) < 0 ||
	    check_audio(x, &w->chosen, keep->target, limit, "chosen", audios,
	    e) < 0 ||
	    check_audio(x, &w->rejected, keep->target, limit, "rejected",
	    audios, e) < 0)
		goto fail;
	if (keep->source == w->prompt.n)
		return 0;
	(void)err_record(e, CODE_HEADER_CUT, "--cutoff-len %llu keeps %zu of "
	    "the %zu tokens of the prompt, and cuts the header of the answer",
	    (unsigned long long)limit, keep->source, w->prompt.n);
fail:
	return err_hint(e, "the whole pair takes --cutoff-len %zu; or shorten "
	    "it", w->prompt.n + target(w));
}

int
cutcheck_note(const struct encode_work *w, uint64_t limit,
    const struct cutoff *keep, struct err *note)
{
	size_t c = w->chosen.n, r = w->rejected.n;

	if (keep->target >= target(w))
		return 0;
	(void)err_record(note, CODE_CUTOFF, "--cutoff-len %llu keeps %zu of "
	    "the %zu tokens of chosen and %zu of the %zu of rejected",
	    (unsigned long long)limit, c < keep->target ? c : keep->target, c,
	    r < keep->target ? r : keep->target, r);
	(void)err_hint(note, "the whole pair takes --cutoff-len %zu",
	    w->prompt.n + target(w));
	return 1;
}
