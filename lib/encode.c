#include <stdio.h>
#include <string.h>

#include "encode.h"
#include "model.h"
#include "pair.h"
#include "template.h"
#include "tools.h"

static const char content_mark[] = "{{content}}";
static const char index_mark[] = "{{idx}}";

/* The place of WORD in the N bytes at P, or NULL. */
static const char *
find(const char *p, size_t n, const char *word)
{
	const size_t m = strlen(word);
	const char *end = p + n;

	for (; (size_t)(end - p) >= m; p++) {
		p = memchr(p, word[0], (size_t)(end - p) - m + 1);
		if (p == NULL)
			return NULL;
		if (memcmp(p, word, m) == 0)
			return p;
	}
	return NULL;
}

/* The tokens of audio, in the order of an audio. */
static void
audio_tokens(const struct encoder *x, const struct model_token *t[3])
{
	t[0] = &x->tokens->audio_bos;
	t[1] = &x->tokens->audio;
	t[2] = &x->tokens->audio_eos;
}

/*
 * Whether the added token TEXT of N bytes leaves the text of an audio alone:
 * it can be found neither across its beginning, nor in place of one of its
 * tokens.
 */
static bool
leaves_audio_alone(const struct encoder *x, const char *text, size_t n)
{
	const struct model_token *t[3];

	audio_tokens(x, t);
	for (int i = 0; i < 3; i++) {
		size_t m = strlen(t[i]->text);

		if (n > 1 && memchr(text + 1, t[i]->text[0], n - 1) != NULL)
			return false;
		if (n > m && memcmp(text, t[i]->text, m) == 0)
			return false;
	}
	return true;
}

/*
 * Whether what stands before and after an audio is tokenised as if it stood
 * alone: so it is where added tokens are split off before all else, which
 * U+0338 behind a '>' would show (NFC makes one character of the two), and
 * none of them reaches over.
 */
static int
find_direct(struct encoder *x, struct encode_work *w, struct err *e)
{
	static const char before[] = "x \n", after[] = "\xcc\xb8 \n";
	const struct model_token *t[3];
	struct bpe_ids *whole = &w->prompt, *parts = &w->chosen;
	int32_t top = (int32_t)bpe_size(x->bpe);

	audio_tokens(x, t);
	x->direct = false;
	x->first_added = top;
	for (int32_t id = top - 1; id >= 0; id--) {
		if (!bpe_is_added(x->bpe, id))
			continue;
		x->first_added = id;
		buf_clear(&w->text);
		if (bpe_decode(x->bpe, &id, 1, &w->text, e) < 0)
			return -1;
		if (!leaves_audio_alone(x, w->text.p, w->text.n))
			top = -1;
	}
	buf_clear(&w->text);
	if (buf_printf(&w->text, e, "%s%s%s%s%s", before, t[0]->text,
	    t[1]->text, t[2]->text, after) < 0 ||
	    bpe_encode(x->bpe, w->cache, w->text.p, w->text.n, whole, e) < 0 ||
	    bpe_encode(x->bpe, w->cache, before, sizeof before - 1, parts,
	    e) < 0 || bpe_ids_reserve(parts, 3, e) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		parts->p[parts->n++] = t[i]->id;
	if (bpe_encode(x->bpe, w->cache, after, sizeof after - 1, parts,
	    e) < 0)
		return -1;
	x->direct = top >= 0 && whole->n == parts->n &&
	    memcmp(whole->p, parts->p, whole->n * sizeof *whole->p) == 0;
	return 0;
}

/* The tokenizer must have what the template and an audio are written with. */
static int
check_tokens(const struct encoder *x, struct err *e)
{
	const struct model_token *t[3];

	for (int i = 0; i < TEMPLATE_SLOTS; i++) {
		const char *text = x->template->tokens[i];
		int32_t id;

		if (text == NULL)
			break;
		id = bpe_id(x->bpe, text, strlen(text));
		if (id < 0 || !bpe_is_special(x->bpe, id))
			return err_set(e, ERR_MODEL, "the tokenizer has no "
			    "special token %s, which the template %s is "
			    "written with", text, x->template->name);
	}
	audio_tokens(x, t);
	for (int i = 0; i < 3; i++)
		if (t[i]->text == NULL || t[i]->id < 0 ||
		    !bpe_is_added(x->bpe, t[i]->id))
			return err_set(e, ERR_MODEL,
			    "the tokenizer has no token %s",
			    t[i]->text == NULL ? "for audio" : t[i]->text);
	return 0;
}

int
encode_open(struct encoder *x, const struct template *template,
    const struct bpe *b, const struct model_tokens *tokens,
    const char *default_system, bool named_tools, struct err *e)
{
	struct encode_work w = { 0 };
	int rc = -1;

	*x = (struct encoder){
		.template = template, .bpe = b, .tokens = tokens,
		.default_system = default_system != NULL ? default_system :
		    template->default_system,
		.named_tools = named_tools,
	};
	if (check_tokens(x, e) < 0 || encode_begin(&w, x, e) < 0)
		goto out;
	rc = find_direct(x, &w, e);
out:
	encode_free(&w);
	return rc;
}

int
encode_begin(struct encode_work *w, const struct encoder *x, struct err *e)
{
	*w = (struct encode_work){ 0 };
	w->cache = bpe_cache_new(x->bpe, e);
	return w->cache == NULL ? -1 : 0;
}

void
encode_free(struct encode_work *w)
{
	bpe_cache_free(w->cache);
	bpe_ids_free(&w->prompt);
	bpe_ids_free(&w->chosen);
	bpe_ids_free(&w->rejected);
	buf_free(&w->text);
	buf_free(&w->content);
	buf_free(&w->other);
	*w = (struct encode_work){ 0 };
}

/* Tokenise the text that has been gathered. */
static int
flush(const struct encoder *x, struct encode_work *w, struct bpe_ids *ids,
    struct err *e)
{
	if (w->text.n > 0 && bpe_encode(x->bpe, w->cache, w->text.p,
	    w->text.n, ids, e) < 0)
		return -1;
	buf_clear(&w->text);
	return 0;
}

/* The tokens of the next audio. */
static int
next_audio(struct encode_work *w, uint32_t *n, struct err *e)
{
	if (w->next == w->n_lengths)
		return err_record(e, CODE_AUDIO_COUNT,
		    "there are more <audio> tags than the %zu %s of audios",
		    w->n_lengths, w->n_lengths == 1 ? "entry" : "entries");
	*n = w->lengths[w->next++];
	return 0;
}

/* Append the next audio to IDS. */
static int
put_audio_ids(const struct encoder *x, struct encode_work *w,
    struct bpe_ids *ids, struct err *e)
{
	uint32_t n = 0;

	if (next_audio(w, &n, e) < 0 || flush(x, w, ids, e) < 0 ||
	    bpe_ids_reserve(ids, (size_t)n + 2, e) < 0)
		return -1;
	ids->p[ids->n++] = x->tokens->audio_bos.id;
	for (uint32_t i = 0; i < n; i++)
		ids->p[ids->n++] = x->tokens->audio.id;
	ids->p[ids->n++] = x->tokens->audio_eos.id;
	return 0;
}

/* Append the next audio to OUT, spelled. */
static int
put_audio_text(const struct encoder *x, struct encode_work *w,
    struct buf *out, struct err *e)
{
	uint32_t n = 0;

	if (next_audio(w, &n, e) < 0 ||
	    buf_puts(out, x->tokens->audio_bos.text, e) < 0)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (buf_puts(out, x->tokens->audio.text, e) < 0)
			return -1;
	return buf_puts(out, x->tokens->audio_eos.text, e);
}

/* Append the N bytes at P to OUT, each tag an audio, spelled. */
static int
put_spelled(const struct encoder *x, struct encode_work *w, const char *p,
    size_t n, struct buf *out, struct err *e)
{
	const char *end = p + n, *tag;

	for (; (tag = find(p, (size_t)(end - p), PAIR_AUDIO_TAG)) != NULL;
	    p = tag + sizeof PAIR_AUDIO_TAG - 1)
		if (buf_put(out, p, (size_t)(tag - p), e) < 0 ||
		    put_audio_text(x, w, out, e) < 0)
			return -1;
	return buf_put(out, p, (size_t)(end - p), e);
}

/* A turn, or the system text, to be put into slots. */
struct filling {
	const char *p;		/* its content */
	size_t n;
	bool tags;		/* which has <audio> tags to be heeded */
	bool numbered;		/* {{idx}} is to be replaced, by INDEX */
	size_t index;
};

/* Append the N bytes at P, tags and all, to the text of a slot. */
static int
put_tagged(const struct encoder *x, struct encode_work *w, const char *p,
    size_t n, struct bpe_ids *ids, struct err *e)
{
	const char *end = p + n, *tag;

	if (!x->direct)
		return put_spelled(x, w, p, n, &w->text, e);
	for (; (tag = find(p, (size_t)(end - p), PAIR_AUDIO_TAG)) != NULL;
	    p = tag + sizeof PAIR_AUDIO_TAG - 1)
		if (buf_put(&w->text, p, (size_t)(tag - p), e) < 0 ||
		    put_audio_ids(x, w, ids, e) < 0)
			return -1;
	return buf_put(&w->text, p, (size_t)(end - p), e);
}

/* Append part of the content F. */
static int
put_content(const struct encoder *x, struct encode_work *w,
    const struct filling *f, const char *p, size_t n, struct bpe_ids *ids,
    struct err *e)
{
	return f->tags ? put_tagged(x, w, p, n, ids, e) :
	    buf_put(&w->text, p, n, e);
}

/* Append the content F; StringFormatter replaces one {{idx}}, the first. */
static int
put_filling(const struct encoder *x, struct encode_work *w,
    const struct filling *f, struct bpe_ids *ids, struct err *e)
{
	const char *at = NULL;
	size_t before;

	if (f->numbered)
		at = find(f->p, f->n, index_mark);
	if (at == NULL)
		return put_content(x, w, f, f->p, f->n, ids, e);
	before = (size_t)(at - f->p);
	if (put_content(x, w, f, f->p, before, ids, e) < 0 ||
	    buf_printf(&w->text, e, "%zu", f->index) < 0)
		return -1;
	before += sizeof index_mark - 1;
	return put_content(x, w, f, f->p + before, f->n - before, ids, e);
}

/* Append the tokens of a row of SLOTS, filled with F. */
static int
put_slots(const struct encoder *x, struct encode_work *w,
    const struct template_slot *slots, const struct filling *f,
    struct bpe_ids *ids, struct err *e)
{
	for (; slots->text != NULL; slots++) {
		size_t n = strlen(slots->text);
		const char *at = find(slots->text, n, content_mark);

		if (slots->token) {
			if (bpe_ids_reserve(ids, 1, e) < 0)
				return -1;
			ids->p[ids->n++] = bpe_id(x->bpe, slots->text, n);
			continue;
		}
		buf_clear(&w->text);
		if (at == NULL) {
			if (buf_put(&w->text, slots->text, n, e) < 0)
				return -1;
		} else if (buf_put(&w->text, slots->text,
		    (size_t)(at - slots->text), e) < 0 ||
		    put_filling(x, w, f, ids, e) < 0 ||
		    buf_puts(&w->text, at + sizeof content_mark - 1, e) < 0) {
			return -1;
		}
		if (flush(x, w, ids, e) < 0)
			return -1;
	}
	return 0;
}

/* Append what comes before the first turn: prefix, system text, tools. */
static int
put_head(const struct encoder *x, struct encode_work *w,
    const struct pair *p, struct err *e)
{
	struct filling f = { 0 };
	bool tools = p->tools.json.p != NULL;

	if (put_slots(x, w, x->template->prefix, &f, &w->prompt, e) < 0)
		return -1;
	buf_clear(&w->content);
	if (p->system.json.p != NULL) {
		if (jsonscan_string(p->system.json, &w->content, e) < 0)
			return -1;
	} else if (buf_puts(&w->content, x->default_system, e) < 0) {
		return -1;
	}
	if (w->content.n == 0 && !tools)
		return 0;
	if (tools) {
		buf_clear(&w->other);
		if (jsonscan_string(p->tools.json, &w->other, e) < 0 ||
		    tools_describe(w->other.p, w->other.n, &w->content,
		    e) < 0)
			return -1;
	}
	f.p = w->content.p;
	f.n = w->content.n;
	return put_slots(x, w, x->template->system, &f, &w->prompt, e);
}

/* Append the function turn whose content is TEXT. */
static int
put_function(const struct encoder *x, struct encode_work *w,
    struct jsonspan text, struct bpe_ids *ids, struct err *e)
{
	struct filling f = { 0 };

	/* Audio is put in before the calls are read (pairwise.py), so that
	 * it is text inside of JSON. */
	buf_clear(&w->other);
	if (put_spelled(x, w, text.p, text.n, &w->other, e) < 0)
		return -1;
	buf_clear(&w->content);
	if (tools_call(w->other.p, w->other.n, &w->content, e) < 0)
		return -1;
	f.p = w->content.p;
	f.n = w->content.n;
	return put_slots(x, w, x->named_tools ? x->template->named_function :
	    x->template->function, &f, ids, e);
}

/* Append turn T, the INDEX-th message, to IDS. */
static int
put_turn(const struct encoder *x, struct encode_work *w,
    const struct pair_turn *t, size_t index, struct bpe_ids *ids,
    struct err *e)
{
	const struct template *m = x->template;
	struct filling f = { .tags = true, .index = index / 2,
	    .numbered = t->role == PAIR_USER };
	struct jsonspan text;

	buf_clear(&w->content);
	if (jsonscan_text(t->text.json, &w->content, &text, e) < 0)
		return -1;
	if (t->role == PAIR_FUNCTION)
		return put_function(x, w, text, ids, e);
	f.p = text.p;
	f.n = text.n;
	return put_slots(x, w, t->role == PAIR_USER ? m->user :
	    t->role == PAIR_OBSERVATION ? m->observation : m->assistant, &f,
	    ids, e);
}

/* The first of the N ids at IDS, from I on, that may be an added token: N if
 * none is. */
static size_t
next_added(const struct encoder *x, const int32_t *ids, size_t n, size_t i)
{
	const int32_t top = x->first_added - 1;

	for (; n - i >= 8; i += 8) {
		int32_t any = 0;

		/* Less than 0 where an id is more. */
		for (size_t k = 0; k < 8; k++)
			any |= top - ids[i + k];
		if (any < 0)
			break;
	}
	while (i < n && ids[i] <= top)
		i++;
	return i;
}

size_t
encode_count_audio(const struct encoder *x, const int32_t *ids, size_t n)
{
	const struct model_tokens *t = x->tokens;
	size_t count = 0;

	for (size_t i = 0; (i = next_added(x, ids, n, i)) < n; i++)
		count += ids[i] == t->audio.id || ids[i] == t->audio_bos.id ||
		    ids[i] == t->audio_eos.id;
	return count;
}

/*
 * The ids of audio, of which the prompt has FOUND, must be those of the
 * audios, whose tags have been counted up to NEXT: more are spelled in the
 * text.
 */
static int
check_audio(const struct encoder *x, const struct encode_work *w,
    size_t found, const struct bpe_ids *answer, struct err *e)
{
	size_t expected = 0;

	if (w->next != w->n_lengths)
		return err_record(e, CODE_AUDIO_COUNT,
		    "%zu <audio> %s but %zu %s in audios", w->next,
		    w->next == 1 ? "tag" : "tags", w->n_lengths,
		    w->n_lengths == 1 ? "entry" : "entries");
	found += encode_count_audio(x, answer->p, answer->n);
	for (size_t i = 0; i < w->n_lengths; i++)
		expected += (size_t)w->lengths[i] + 2;
	if (found == expected)
		return 0;
	(void)err_record(e, CODE_CONTROL_TOKEN, "the text spells %zu tokens "
	    "of audio that stand for none", found - expected);
	return err_hint(e, "take %s, %s and %s out of the text",
	    x->tokens->audio.text, x->tokens->audio_bos.text,
	    x->tokens->audio_eos.text);
}

int
encode_pair(const struct encoder *x, struct encode_work *w,
    const struct pair *p, const uint32_t *lengths, size_t n, struct err *e)
{
	size_t at, found;

	w->prompt.n = w->chosen.n = w->rejected.n = 0;
	w->lengths = lengths;
	w->n_lengths = n;
	w->next = 0;
	if (put_head(x, w, p, e) < 0)
		return -1;
	for (size_t i = 0; i < p->n_turns; i++)
		if (put_turn(x, w, &p->turns[i], i, &w->prompt, e) < 0)
			return -1;
	at = w->next;
	found = encode_count_audio(x, w->prompt.p, w->prompt.n);
	if (put_turn(x, w, &p->chosen, p->n_turns, &w->chosen, e) < 0 ||
	    check_audio(x, w, found, &w->chosen, e) < 0)
		return -1;
	w->next = at;
	if (put_turn(x, w, &p->rejected, p->n_turns, &w->rejected, e) < 0)
		return -1;
	return check_audio(x, w, found, &w->rejected, e);
}

/* Whether ID is one that dpo-pair has looked for already. */
static bool
is_known(const struct encoder *x, int32_t id)
{
	static const char *const known[] = {
		"<|im_start|>", "<|im_end|>", "<|endoftext|>"
	};

	if (id == x->tokens->audio.id || id == x->tokens->audio_bos.id ||
	    id == x->tokens->audio_eos.id)
		return true;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (id == bpe_id(x->bpe, known[i], strlen(known[i])))
			return true;
	for (int i = 0; i < TEMPLATE_SLOTS && x->template->tokens[i] != NULL;
	    i++)
		if (id == bpe_id(x->bpe, x->template->tokens[i],
		    strlen(x->template->tokens[i])))
			return true;
	return false;
}

int32_t
encode_find_added(const struct encoder *x, const struct encode_work *w)
{
	const struct bpe_ids *all[] = { &w->prompt, &w->chosen, &w->rejected };

	for (int k = 0; k < 3; k++) {
		const int32_t *ids = all[k]->p;
		size_t n = all[k]->n;

		for (size_t i = 0; (i = next_added(x, ids, n, i)) < n; i++)
			if (bpe_is_added(x->bpe, ids[i]) &&
			    !is_known(x, ids[i]))
				return ids[i];
	}
	return -1;
}
