#include <stdio.h>
#include <string.h>

#include "pair.h"
#include "paircheck.h"
#include "record.h"
#include "tools.h"

/* Special texts, found in one string. */
struct seen {
	size_t audio, image, video;	/* tags */
	bool placeholder;
	const char *control;	/* the first token's spelling, or NULL */
	bool control_audio;	/* it is one of the audio tokens */
};

/* Those of Qwen2-Audio that stand for turns, ends and audio; tokpack, which
 * has the model, looks for all others. */
static const char *const control_tokens[] = {
	"<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>",
	"<|im_start|>", "<|im_end|>", "<|endoftext|>",
};
#define N_CONTROL (sizeof control_tokens / sizeof control_tokens[0])
#define N_CONTROL_AUDIO 3

/* Whether the N bytes at P begin with WORD. */
static bool
begins(const char *p, size_t n, const char *word)
{
	size_t m = strlen(word);

	return n >= m && memcmp(p, word, m) == 0;
}

/* What begins with the '<' at P. */
static void
look_at_angle(const char *p, size_t n, struct seen *s)
{
	if (begins(p, n, PAIR_AUDIO_TAG))
		s->audio++;
	else if (begins(p, n, "<image>"))
		s->image++;
	else if (begins(p, n, "<video>"))
		s->video++;
	else if (n > 1 && p[1] == '|')
		for (size_t i = 0; i < N_CONTROL; i++)
			if (begins(p, n, control_tokens[i]) &&
			    (s->control == NULL ||
			    (i < N_CONTROL_AUDIO && !s->control_audio))) {
				s->control = control_tokens[i];
				s->control_audio = i < N_CONTROL_AUDIO;
			}
}

/* Whether there is a \u in the string from P to END. */
static bool
has_code_point_escape(const char *p, const char *end)
{
	for (; (p = memchr(p, '\\', (size_t)(end - p))) != NULL &&
	    end - p > 1; p += 2)
		if (p[1] == 'u')
			return true;
	return false;
}

/*
 * Look through the string V.  What is looked for has no character that must
 * be escaped, so the text is searched as it stands, but for \u.
 */
static int
look(struct jsonspan v, struct buf *plain, struct seen *s, struct err *e)
{
	const char *p = v.p, *end = v.p + v.n, *q;

	*s = (struct seen){ 0 };
	if (has_code_point_escape(p, end)) {
		buf_clear(plain);
		if (jsonscan_string(v, plain, e) < 0)
			return -1;
		p = plain->p;
		end = p + plain->n;
	}
	for (q = p; (q = memchr(q, '<', (size_t)(end - q))) != NULL; q++)
		look_at_angle(q, (size_t)(end - q), s);
	for (q = p; (q = memchr(q, '{', (size_t)(end - q))) != NULL; q++)
		if (begins(q, (size_t)(end - q), "{{idx}}"))
			s->placeholder = true;
	return 0;
}

/* Put a note of CODE about T, unless there is one of that code already. */
static void
note(struct pair *p, enum code code, const struct pair_text *t,
    const char *what, const char *hint)
{
	char place[PAIR_PLACE_SIZE];
	struct pair_note *n = &p->notes[p->n_notes];

	for (size_t i = 0; i < p->n_notes; i++)
		if (p->notes[i].code == code)
			return;
	if (p->n_notes == PAIR_NOTES_MAX)
		return;
	n->code = code;
	n->hint = hint;
	(void)snprintf(n->text, sizeof n->text, "%s%s", pair_place(place, t),
	    what);
	p->n_notes++;
}

/* A control token in T is an error if it is one of audio, else a note. */
static int
check_control(struct pair *p, const struct pair_text *t,
    const struct seen *s, struct err *e)
{
	char place[PAIR_PLACE_SIZE], what[64];

	if (s->control == NULL)
		return 0;
	if (s->control_audio) {
		(void)err_record(e, CODE_CONTROL_TOKEN,
		    "%s holds %s, which would be read as audio",
		    pair_place(place, t), s->control);
		return err_hint(e, "write <audio> where an audio belongs, and "
		    "take the token out of the text");
	}
	(void)snprintf(what, sizeof what, " holds %s", s->control);
	note(p, CODE_CONTROL_TOKEN, t, what, "the tokenizer makes the special "
	    "token of it: take it out of the text, unless it is meant");
	return 0;
}

/* The tags of images and videos: LLaMA-Factory counts them and stops. */
static int
check_media_tags(const struct pair_text *t, const struct seen *s,
    struct err *e)
{
	char place[PAIR_PLACE_SIZE];

	if (s->image == 0 && s->video == 0)
		return 0;
	(void)err_record(e, CODE_MEDIA_UNSUPPORTED,
	    "%s holds %s, and the model takes audio alone",
	    pair_place(place, t), s->image > 0 ? "<image>" : "<video>");
	return err_hint(e, "take the record out, or write the tag another way "
	    "where it is only text");
}

/* Check one turn's text; add its <audio> tags to *TAGS. */
static int
check_text(struct pair *p, const struct pair_turn *t, bool answer,
    size_t *tags, struct err *e)
{
	struct seen s;

	if (look(t->text.json, &p->plain, &s, e) < 0 ||
	    check_control(p, &t->text, &s, e) < 0 ||
	    check_media_tags(&t->text, &s, e) < 0)
		return -1;
	if (s.placeholder && t->role == PAIR_USER)
		note(p, CODE_PLACEHOLDER, &t->text, " holds {{idx}}",
		    "the template puts the number of the turn in its place: "
		    "write it another way");
	if (answer && s.audio > 0)
		note(p, CODE_AUDIO_IN_ANSWER, &t->text,
		    " holds an <audio> tag: the model learns to say it",
		    "move the tag to a user turn, if audio is meant");
	*tags += s.audio;
	return 0;
}

/* Check the system text and the tools, which are part of it. */
static int
check_system(struct pair *p, struct err *e)
{
	struct seen s;

	if (p->system.json.p != NULL) {
		if (look(p->system.json, &p->plain, &s, e) < 0 ||
		    check_control(p, &p->system, &s, e) < 0)
			return -1;
		if (s.audio > 0)
			note(p, CODE_AUDIO_IN_SYSTEM, &p->system,
			    " holds an <audio> tag, which stays text there",
			    "move the tag to a user turn, if audio is meant");
	}
	if (p->tools.json.p == NULL)
		return 0;
	if (look(p->tools.json, &p->plain, &s, e) < 0 ||
	    check_control(p, &p->tools, &s, e) < 0)
		return -1;
	buf_clear(&p->plain);
	buf_clear(&p->scratch);
	if (jsonscan_string(p->tools.json, &p->plain, e) < 0)
		return -1;
	return tools_describe(p->plain.p, p->plain.n, &p->scratch, e);
}

/* Check that the function turn T holds calls. */
static int
check_call(struct pair *p, const struct pair_turn *t, struct err *e)
{
	char place[PAIR_PLACE_SIZE];

	if (t->role != PAIR_FUNCTION)
		return 0;
	buf_clear(&p->plain);
	buf_clear(&p->scratch);
	if (jsonscan_string(t->text.json, &p->plain, e) < 0)
		return -1;
	if (tools_call(p->plain.p, p->plain.n, &p->scratch, e) < 0)
		return err_wrap(e, "%s", pair_place(place, &t->text));
	return 0;
}

/* Whether ROLE is on the user's side. */
static bool
asks(enum pair_role role)
{
	return role == PAIR_USER || role == PAIR_OBSERVATION;
}

/* "conversations[2] is "gpt"", in OUT. */
static const char *
describe(char *out, size_t size, const struct pair_turn *t)
{
	char place[PAIR_PLACE_SIZE], word[80];

	(void)snprintf(out, size, "%s is %s", pair_place(place, &t->text),
	    t->word.p == NULL ? asks(t->role) ? "a user's turn" : "an answer" :
	    err_quote(word, sizeof word, t->word.p, t->word.n));
	return out;
}

/* Turns alternate, beginning and ending with the user's side. */
static int
check_order(const struct pair *p, struct err *e)
{
	char turn[256];
	const struct pair_turn *last;

	if (p->n_turns == 0) {
		(void)err_record(e, CODE_ROLE_ORDER, "the prompt has no turn");
		return err_hint(e, "it needs at least one turn of the user");
	}
	for (size_t i = 0; i < p->n_turns; i++)
		if (asks(p->turns[i].role) != (i % 2 == 0)) {
			(void)err_record(e, CODE_ROLE_ORDER,
			    "%s, where %s belongs",
			    describe(turn, sizeof turn, &p->turns[i]),
			    i % 2 == 0 ? "a turn of the user's side" :
			    "an answer");
			return err_hint(e, "turns alternate: user or "
			    "observation, then assistant or function, and so "
			    "on");
		}
	last = &p->turns[p->n_turns - 1];
	if (!asks(last->role)) {
		(void)err_record(e, CODE_ROLE_ORDER,
		    "%s, and it is the last turn of the prompt",
		    describe(turn, sizeof turn, last));
		return err_hint(e, "the prompt ends with the user's turn; its "
		    "answers are chosen and rejected");
	}
	return 0;
}

/* Check the answer T, whose tags are added to *TAGS. */
static int
check_answer(struct pair *p, const struct pair_turn *t, size_t *tags,
    struct err *e)
{
	char place[PAIR_PLACE_SIZE], turn[256];

	if (asks(t->role)) {
		(void)err_record(e, CODE_ROLE_ORDER,
		    "%s, which is no role of an answer",
		    describe(turn, sizeof turn, t));
		return err_hint(e, "give the answer the assistant's role, or "
		    "that of a function call");
	}
	if (t->text.json.n == 2) {
		(void)err_record(e, CODE_EMPTY_RESPONSE, "%s is empty",
		    pair_place(place, &t->text));
		return err_hint(e, "write the answer, or take the record out");
	}
	if (check_text(p, t, true, tags, e) < 0)
		return -1;
	return check_call(p, t, e);
}

/* Whether two strings, which may be escaped differently, are the same: 1, 0
 * or -1. */
static int
same_text(struct pair *p, struct jsonspan a, struct jsonspan b, struct err *e)
{
	struct jsonspan x, y;

	if (a.n == b.n && memcmp(a.p, b.p, a.n) == 0)
		return 1;
	if (memchr(a.p, '\\', a.n) == NULL && memchr(b.p, '\\', b.n) == NULL)
		return 0;
	buf_clear(&p->plain);
	buf_clear(&p->scratch);
	if (jsonscan_text(a, &p->plain, &x, e) < 0 ||
	    jsonscan_text(b, &p->scratch, &y, e) < 0)
		return -1;
	return x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
}

/* Images and videos that are there. */
static int
check_media(const struct pair_text *t, struct err *e)
{
	enum json_type type = jsonscan_type(t->json);
	char place[PAIR_PLACE_SIZE];
	size_t n = type == JSON_ARRAY ? jsonscan_count(t->json) : 1;

	if (type == JSON_NONE || type == JSON_NULL || n == 0)
		return 0;
	(void)err_record(e, CODE_MEDIA_UNSUPPORTED,
	    "%s has %zu %s, and the model takes audio alone",
	    pair_place(place, t), n, n == 1 ? "entry" : "entries");
	return err_hint(e, "take the record out, or empty the field");
}

/* Whether the N bytes at P are a scheme and "://", or "data:". */
static bool
is_url(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && ((p[i] >= 'a' && p[i] <= 'z') ||
	    (p[i] >= 'A' && p[i] <= 'Z') || (i > 0 &&
	    ((p[i] >= '0' && p[i] <= '9') || strchr("+-.", p[i]) != NULL))))
		i++;
	return i > 1 && (begins(p + i, n - i, "://") ||
	    begins(p, n, "data:"));
}

/*
 * Whether the N bytes at P are base64 rather than a path: they begin as a
 * WAV, MP3, FLAC or Ogg file does, or have no end of a name where every
 * name must end by then (NAME_MAX is 255).
 */
static bool
is_base64(const char *p, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
	    "mnopqrstuvwxyz0123456789+/=\\";

	if (n < 64 || !(n > 1024 || begins(p, n, "UklGR") ||
	    begins(p, n, "SUQz") || begins(p, n, "ZkxhQ") ||
	    begins(p, n, "T2dnUw")))
		return false;
	for (size_t i = 0; i < n; i++)
		if (memchr(alphabet, p[i], sizeof alphabet - 1) == NULL)
			return false;
	return true;
}

/* What audio V is if it is no path: "an object", "a URL"; NULL for a path. */
static const char *
inline_kind(struct jsonspan v)
{
	switch (jsonscan_type(v)) {
	case JSON_STRING:
		return is_url(v.p + 1, v.n - 2) ?
		    begins(v.p + 1, v.n - 2, "data:") ? "a data URL" :
		    "a URL" :
		    is_base64(v.p + 1, v.n - 2) ? "base64 text" : NULL;
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	default:
		return NULL;
	}
}

/* Each of audios is a path. */
static int
check_audios(const struct pair *p, struct err *e)
{
	struct pair_text t = p->audios;
	char place[PAIR_PLACE_SIZE], quoted[80];

	t.index = 0;
	if (p->audios.json.p == NULL)
		return 0;
	for (struct jsonwalk w = jsonwalk_start(p->audios.json);
	    jsonwalk_next(&w); t.index++) {
		const char *kind = inline_kind(w.value);

		t.json = w.value;
		if (kind != NULL) {
			(void)err_record(e, CODE_AUDIO_INLINE,
			    "%s is %s, not a path: %s", pair_place(place, &t),
			    kind, err_quote(quoted, sizeof quoted, w.value.p,
			    w.value.n));
			return err_hint(e, "write the audio to files first: "
			    "examples/hf-datasets does it");
		}
		if (pair_need_string(&t, NULL, e) < 0)
			return err_hint(e, "audios holds paths of files");
		if (w.value.n == 2) {
			(void)err_record(e, CODE_MISSING_FIELD,
			    "%s is an empty path", pair_place(place, &t));
			return err_hint(e, "audios holds paths of files");
		}
	}
	if (t.index > RECORD_AUDIOS_MAX) {
		(void)err_record(e, CODE_RECORD_TOO_LONG,
		    "%s has %zu entries: a record takes %d",
		    pair_place(place, &p->audios), t.index, RECORD_AUDIOS_MAX);
		return err_hint(e, "split the record");
	}
	return 0;
}

/*
 * mm_plugin.py, _validate_messages: the tags of the prompt and of one answer,
 * which is NAME, against the entries of audios.
 */
static int
check_count(const struct pair *p, size_t prompt, size_t answer,
    const struct pair_text *t, struct err *e)
{
	size_t tags = prompt + answer, n = pair_audios(p);
	char there[32], where[PAIR_PLACE_SIZE + 64] = "", name[96];
	/* The columns of a data set may name none for audios. */
	const char *field = p->audios.field != NULL ? p->audios.field :
	    "audios";
	char place[PAIR_PLACE_SIZE];

	if (tags == n)
		return 0;
	(void)snprintf(there, sizeof there, tags == 0 ? "no" : "%zu", tags);
	(void)pair_place(place, t);
	if (answer > 0 && prompt > 0)
		(void)snprintf(where, sizeof where,
		    " (%zu in the prompt, %zu in %s)", prompt, answer, place);
	else if (answer > 0)
		(void)snprintf(where, sizeof where, " (in %s)", place);
	(void)err_quote(name, sizeof name, field, strlen(field));
	if (p->audios.json.p == NULL || n == 0)
		(void)err_record(e, CODE_AUDIO_COUNT,
		    "%s <audio> %s%s but %s %s", there,
		    tags == 1 ? "tag" : "tags", where, p->audios.json.p == NULL
		    ? "no" : "no entry in", name);
	else
		(void)err_record(e, CODE_AUDIO_COUNT,
		    "%s <audio> %s%s but %zu %s in %s", there,
		    tags == 1 ? "tag" : "tags", where, n,
		    n == 1 ? "entry" : "entries", name);
	if (p->audios.field == NULL)
		return err_hint(e, "the data set names no column for audios: "
		    "name it in \"columns\", or take the tag out");
	return err_hint(e, tags < n ?
	    "write one <audio> tag for each entry of %s, in the same order, "
	    "where the audio belongs in the text" :
	    "each <audio> tag takes one entry of %s, in the same order: add "
	    "what is missing, or take the tag out of the text", name);
}

int
paircheck_run(struct pair *p, struct err *e)
{
	char what[PAIR_PLACE_SIZE + 32], place[PAIR_PLACE_SIZE];
	size_t prompt = 0, chosen = 0, rejected = 0;
	int same;

	p->n_notes = 0;
	if (check_media(&p->images, e) < 0 || check_media(&p->videos, e) < 0 ||
	    check_order(p, e) < 0 || check_system(p, e) < 0)
		return -1;
	for (size_t i = 0; i < p->n_turns; i++)
		if (check_text(p, &p->turns[i], false, &prompt, e) < 0 ||
		    check_call(p, &p->turns[i], e) < 0)
			return -1;
	if (check_answer(p, &p->chosen, &chosen, e) < 0 ||
	    check_answer(p, &p->rejected, &rejected, e) < 0 ||
	    check_audios(p, e) < 0 ||
	    check_count(p, prompt, chosen, &p->chosen.text, e) < 0 ||
	    check_count(p, prompt, rejected, &p->rejected.text, e) < 0)
		return -1;
	same = p->chosen.role != p->rejected.role ? 0 :
	    same_text(p, p->chosen.text.json, p->rejected.text.json, e);
	if (same == 1) {
		(void)snprintf(what, sizeof what, " and %s are the same",
		    pair_place(place, &p->rejected.text));
		note(p, CODE_SAME_RESPONSE, &p->chosen.text, what,
		    "such a pair teaches nothing: take it out");
	}
	return same < 0 ? -1 : 0;
}
