/* What shard-cat is made of: view, pick, join, verify. */
#include "content.h"
#include "join.h"
#include "le.h"
#include "pick.h"
#include "safetensors.h"
#include "streams.h"
#include "verify.h"
#include "view.h"

static struct content_record
line(const char *text)
{
	return (struct content_record){ text, strlen(text), false };
}

static void
a_view_shows_json_and_tensors(void **state)
{
	static const int32_t ids[5] = { 1, 2, 3, 4, 5 };
	struct tensor t[2] = {
		{ "chosen_input_ids", DTYPE_I32, 1, { 5, 0 }, ids, 20 },
		{ "rejected_input_ids", DTYPE_I32, 1, { 3, 0 }, ids, 12 },
	};
	static const char json[] = "{\"audio\":[{\"tokens\":750},{\"x\":1},"
	    "{\"tokens\":-1}],\"error\":null}";
	struct buf image = { 0 };
	struct stream_lengths row;
	struct err e = { 0 };
	struct view *v = view_new(&e);
	struct content_record r;
	size_t n;

	(void)state;
	assert_non_null(v);
	assert_int_equal(safetensors_write(t, 2, json, sizeof json - 1,
	    &image, &e), 0);
	r = (struct content_record){ image.p, image.n, true };
	assert_int_equal(view_open(v, &r, &e), 0);
	assert_int_equal(view_json(v).n, sizeof json - 1);
	assert_memory_equal(view_json(v).p, json, sizeof json - 1);
	assert_true(view_has_error(v));
	assert_non_null(view_tensors(v, &n));
	assert_int_equal(n, 2);
	assert_int_equal(view_tensor(v, "rejected_input_ids")->shape[0], 3);
	assert_null(view_tensor(v, "pcm.0"));
	assert_int_equal(view_lengths(v, &row, &e), 0);
	assert_int_equal(row.chosen, 5);
	assert_int_equal(row.rejected, 3);
	assert_int_equal(row.n_audios, 3);
	assert_int_equal(row.audio[0], 750);
	assert_int_equal(row.audio[1], 0);
	assert_int_equal(row.audio[2], 0);
	r = line("{}");
	assert_int_equal(view_open(v, &r, &e), 0);
	assert_false(view_has_error(v));
	(void)view_tensors(v, &n);
	assert_int_equal(n, 0);
	assert_int_equal(view_lengths(v, &row, &e), 0);
	assert_int_equal(row.chosen + row.rejected + row.n_audios, 0);
	view_free(v);
	buf_free(&image);
}

static void
what_is_no_record_is_damage(void **state)
{
	static const char *const bad[] = {
		"", "7", "[]", "\"{}\"", "{", "{}}", " {}", "{} ", "{\"a\":}",
		"{\"a\":1,\"a\":2}", "{\"a\":\n1}", "{\"a\":\"\xff\"}",
	};
	struct err e = { 0 };
	struct view *v = view_new(&e);

	(void)state;
	assert_non_null(v);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct content_record r = line(bad[i]);

		if (view_open(v, &r, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_DAMAGED);
	}
	view_free(v);
}

/* Numbers as they came, and the "number" in each record. */
struct seen {
	uint64_t number[256];
	int written[256];
	size_t n;
};

static int
see(void *self, uint64_t number, struct view *v, struct err *e)
{
	struct seen *s = self;

	(void)e;
	assert_true(s->n < 256);
	s->number[s->n] = number;
	s->written[s->n++] = atoi(view_json(v).p + strlen("{\"number\":"));
	return 0;
}

static int
see_row(void *self, uint64_t number, const struct stream_lengths *row,
    struct err *e)
{
	struct seen *s = self;

	(void)e;
	assert_true(s->n < 256);
	assert_int_equal(row->rejected, 2 * row->chosen);
	assert_int_equal(row->n_audios, row->chosen % 4);
	for (uint32_t k = 0; k < row->n_audios; k++)
		assert_int_equal(row->audio[k], 100 * k + row->chosen);
	s->number[s->n] = number;
	s->written[s->n++] = (int)row->chosen;
	return 0;
}

/* Pick FIRST to LAST from A and B, one after the other. */
static int
pick(const struct buf *a, const struct buf *b, uint64_t first, uint64_t last,
    bool rows, struct seen *s, struct err *e)
{
	struct pick p = { .frame_max = 1 << 20, .first = first, .last = last,
	    .each = rows ? NULL : see, .row = see_row, .self = s };
	const struct buf *const inputs[2] = { a, b };

	s->n = 0;
	for (int i = 0; i < 2; i++) {
		int fd = file_of(inputs[i]->p, inputs[i]->n);
		int rc = pick_input(&p, fd, e);

		(void)close(fd);
		if (rc < 0)
			return -1;
	}
	return pick_end(&p, e);
}

static void
a_range_is_picked_over_shards_and_streams(void **state)
{
	struct buf a = { 0 }, b = { 0 };
	unsigned na = 0, nb = 0;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		buf_clear(&a);
		buf_clear(&b);
		na = put_stream(&a, "a", 6, 0, kind & 1);
		nb = put_stream(&b, "b", 9, 1, kind & 2);
		for (unsigned first = 0; first < na + nb; first++)
			for (unsigned last = first; last < na + nb + 2;
			    last += 3) {
				struct err e = { 0 };
				struct seen s;
				int rc = pick(&a, &b, first, last, false, &s,
				    &e);
				unsigned end = last < na + nb ? last + 1 :
				    na + nb;

				assert_int_equal(rc, last < na + nb ? 0 : -1);
				if (rc < 0)
					assert_int_equal(e.kind, ERR_ABSENT);
				assert_int_equal(s.n, end - first);
				for (unsigned i = first; i < end; i++) {
					assert_int_equal(s.number[i - first],
					    i);
					assert_int_equal(s.written[i - first],
					    i < na ? i : i - na);
				}
			}
	}
	buf_free(&a);
	buf_free(&b);
}

static void
lengths_come_from_the_shards_own_account(void **state)
{
	struct buf a = { 0 }, b = { 0 };
	unsigned n = put_stream(&a, "a", 6, 0, true);
	struct err e = { 0 };
	struct seen s;

	(void)state;
	n += put_stream(&b, "b", 9, 1, true);
	assert_int_equal(pick(&a, &b, 0, UINT64_MAX, true, &s, &e), 0);
	assert_int_equal(s.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(s.number[i], i);
	assert_int_equal(pick(&a, &b, 3, 14, true, &s, &e), 0);
	assert_int_equal(s.n, 12);
	assert_int_equal(s.number[0], 3);
	assert_int_equal(s.written[0], 3);
	buf_free(&a);
	buf_free(&b);
}

/* Join the N inputs to OUT. */
static int
join(const struct join_rules *rules, const struct buf *const *inputs,
    size_t n, struct buf *out, struct err *e)
{
	int to = file_of("", 0), rc = 0;
	struct join *j = join_new(to, rules, e);

	assert_non_null(j);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		int fd = file_of(inputs[i]->p, inputs[i]->n);

		rc = join_input(j, fd, e);
		(void)close(fd);
	}
	if (rc == 0)
		rc = join_end(j, e);
	buf_clear(out);
	if (rc == 0)
		slurp(to, out);
	join_free(j);
	(void)close(to);
	return rc;
}

#define ALL { .frame_max = 1 << 20, .level = CONTENT_LEVEL_KEEP, \
    .last = UINT64_MAX }

/* Its records hold no tensors and no audio, so their lengths are none. */
static void
put_plain_shard(struct buf *out, const struct buf *stream)
{
	struct join_rules rules = ALL;
	struct err e = { 0 };

	if (join(&rules, &stream, 1, out, &e) < 0)
		fail_msg("%s", e.text);
}

static void
a_shard_joined_alone_is_the_same_bytes(void **state)
{
	struct buf a = { 0 }, one = { 0 }, two = { 0 };

	(void)state;
	(void)put_stream(&a, "a", 20, 1, false);
	put_plain_shard(&one, &a);
	put_plain_shard(&two, &one);
	assert_int_equal(one.n, two.n);
	assert_memory_equal(one.p, two.p, one.n);
	buf_free(&a);
	buf_free(&one);
	buf_free(&two);
}

static void
joined_inputs_hold_all_their_records(void **state)
{
	struct buf a = { 0 }, b = { 0 }, out = { 0 };
	const struct buf *const inputs[3] = { &a, &b, &a };
	struct got g = { 0 };
	unsigned n = 2 * put_stream(&a, "a", 6, 0, false);
	struct err e = { 0 };

	(void)state;
	n += put_stream(&b, "b", 9, 1, true);
	for (int anew = 0; anew < 2; anew++) {
		struct join_rules rules = ALL;

		rules.level = anew ? 0 : CONTENT_LEVEL_KEEP;
		assert_int_equal(join(&rules, inputs, 3, &out, &e), 0);
		if (read_bytes(out.p, out.n, false, &g) < 0)
			fail_msg("%s", g.e.text);
		assert_int_equal(g.sums.records, n);
		assert_int_equal(g.sums.rejected, 21);
		assert_int_equal(g.changes, 3);
		assert_int_equal(occurrences(out.p, out.n,
		    "\x5d\x2a\x4d\x18"), 1);
	}
	got_free(&g);
	buf_free(&a);
	buf_free(&b);
	buf_free(&out);
}

static void
a_range_is_joined_by_cutting_frames(void **state)
{
	struct buf a = { 0 }, out = { 0 };
	const struct buf *const inputs[1] = { &a };
	unsigned n = put_stream(&a, "a", 9, 1, false);
	struct got g = { 0 };

	(void)state;
	for (unsigned first = 0; first < n; first++)
		for (unsigned last = first; last < n; last++) {
			struct join_rules rules = ALL;
			struct err e = { 0 };
			const char *p;

			rules.first = first;
			rules.last = last;
			assert_int_equal(join(&rules, inputs, 1, &out, &e), 0);
			assert_int_equal(read_bytes(out.p, out.n, false, &g),
			    0);
			assert_int_equal(g.sums.records, last - first + 1);
			p = g.content.p;
			for (unsigned i = first; i <= last; i++) {
				assert_int_equal(atoi(p + 10), i);
				p = strchr(p, '\n') + 1;
			}
		}
	got_free(&g);
	buf_free(&a);
	buf_free(&out);
}

/* What was stored is compressed, what was compressed is left, unless another
 * level is asked for. */
static void
frames_go_over_as_they_are_or_anew(void **state)
{
	struct buf stored = { 0 }, packed = { 0 }, out = { 0 };
	const struct buf *const inputs[1] = { &packed };
	struct err e = { 0 };
	int from = file_of("", 0);
	struct stream_writer *w = stream_writer_new(from, false, &e);
	struct join_rules rules = ALL;

	(void)state;
	assert_non_null(w);
	put_program(&out, "a");
	assert_int_equal(stream_write_provenance(w, &out, &e), 0);
	write_records(w, 0, 60, 0);
	assert_int_equal(stream_write_end(w, 0, &e), 0);
	slurp(from, &stored);
	put_plain_shard(&packed, &stored);
	assert_int_equal(occurrences(stored.p, stored.n, "{\"number\":5"), 11);
	assert_true(occurrences(packed.p, packed.n, "{\"number\":5") < 11);
	assert_int_equal(join(&rules, inputs, 1, &out, &e), 0);
	assert_int_equal(out.n, packed.n);
	assert_memory_equal(out.p, packed.p, out.n);
	rules.level = 0;
	assert_int_equal(join(&rules, inputs, 1, &out, &e), 0);
	assert_int_equal(occurrences(out.p, out.n, "{\"number\":5"), 11);
	stream_writer_free(w);
	(void)close(from);
	buf_free(&stored);
	buf_free(&packed);
	buf_free(&out);
}

static void
a_fragment_joined_has_a_provenance(void **state)
{
	struct buf a = { 0 }, part = { 0 }, out = { 0 };
	const struct buf *const inputs[1] = { &part };
	struct join_rules rules = ALL;
	struct err e = { 0 };
	struct got g = { 0 };
	const char *data;

	(void)state;
	(void)put_stream(&a, "a", 3, 0, false);
	data = memchr(a.p, '\x50', a.n);	/* the first prefix */
	while (le_get32(data) != FRAME_MAGIC_PREFIX)
		data = memchr(data + 1, '\x50', (size_t)(a.p + a.n - data) -
		    1);
	part.n = part.cap = (size_t)(a.p + a.n - data);
	part.p = (char *)(uintptr_t)data;
	assert_int_equal(join(&rules, inputs, 1, &out, &e), -1);
	rules.fragment = true;
	assert_int_equal(join(&rules, inputs, 1, &out, &e), 0);
	assert_int_equal(read_bytes(out.p, out.n, false, &g), 0);
	assert_int_equal(g.sums.records, 6);
	assert_int_equal(occurrences(g.programs.p, g.programs.n,
	    "\"program\":\"shard-cat\""), 1);
	got_free(&g);
	buf_free(&a);
	buf_free(&out);
}

/* Faults that verify has told about. */
struct told {
	char text[64][ERR_TEXT_MAX];
	size_t n;
};

static void
hear(void *self, const struct err *fault)
{
	struct told *t = self;

	assert_true(t->n < 64);
	(void)strcpy(t->text[t->n++], fault->text);
}

static void
verify(const struct buf *b, struct verify *v, struct told *t)
{
	struct err e = { 0 };
	int fd = file_of(b->p, b->n);

	t->n = 0;
	*v = (struct verify){ .frame_max = 1 << 20, .fault = hear, .self = t };
	if (verify_input(v, fd, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(v->faults, t->n);
	(void)close(fd);
}

static void
a_sound_stream_has_no_fault(void **state)
{
	struct buf b = { 0 };
	struct verify v;
	struct told t;
	unsigned n = put_stream(&b, "a", 9, 1, true);

	(void)state;
	n += put_stream(&b, "b", 3, 0, false);
	verify(&b, &v, &t);
	assert_int_equal(t.n, 0);
	assert_int_equal(v.records, n);
	assert_int_equal(v.frames, 12);
	assert_int_equal(v.rejected, 14);
	assert_int_equal(v.errors, n / 3);
	buf_free(&b);
}

static void
every_flipped_bit_of_a_frame_is_told(void **state)
{
	struct buf b = { 0 };
	struct verify v;
	struct told t;
	size_t from, to;

	(void)state;
	(void)put_stream(&b, "a", 4, 0, true);
	from = 0;
	while (le_get32(b.p + from) != FRAME_MAGIC_PREFIX)
		from += 8 + le_get32(b.p + from + 4);
	to = from + 12 + le_get32(b.p + from + 8);
	for (size_t bit = 8 * from; bit < 8 * to; bit++) {
		b.p[bit / 8] ^= (char)(1 << bit % 8);
		verify(&b, &v, &t);
		assert_true(t.n >= 1);
		b.p[bit / 8] ^= (char)(1 << bit % 8);
	}
	buf_free(&b);
}

/* Of ten frames three are damaged: two in their content, one in its size. */
static void
all_damaged_frames_are_told_by_number_or_place(void **state)
{
	struct buf b = { 0 };
	struct verify v;
	struct told t;
	size_t at = 0, frame = 0;
	char place[64];

	(void)state;
	(void)put_stream(&b, "a", 10, 0, true);
	while (frame < 10) {
		size_t n = 8 + le_get32(b.p + at + 4);

		if (le_get32(b.p + at) != FRAME_MAGIC_PREFIX) {
			at += n;
			continue;
		}
		if (frame == 2 || frame == 8)
			b.p[at + 30] ^= 1;
		if (frame == 5) {
			(void)snprintf(place, sizeof place, "byte %zu:",
			    at + 12);
			b.p[at + 12 + 6] ^= 1;	/* of a block's size */
		}
		at += n + le_get32(b.p + at + 8);
		frame++;
	}
	verify(&b, &v, &t);
	assert_int_equal(t.n, 3);
	assert_non_null(strstr(t.text[0], "data frame 2: "));
	assert_non_null(strstr(t.text[0], "checksum"));
	assert_non_null(strstr(t.text[1], place));
	assert_non_null(strstr(t.text[2], "checksum"));
	assert_int_equal(v.records, 19 - 3 - 3 - 3);
	buf_free(&b);
}

static void
what_is_cut_or_no_stream_is_told(void **state)
{
	struct buf b = { 0 };
	struct verify v;
	struct told t;

	(void)state;
	verify(&b, &v, &t);
	assert_int_equal(t.n, 1);
	(void)put_stream(&b, "a", 3, 0, false);
	for (size_t n = b.n; n-- > 0; ) {
		struct buf cut = { b.p, n, n };

		verify(&cut, &v, &t);
		assert_true(t.n >= 1);
	}
	(void)strcpy(b.p, "text");
	verify(&b, &v, &t);
	assert_true(t.n >= 1);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_shows_json_and_tensors),
		cmocka_unit_test(what_is_no_record_is_damage),
		cmocka_unit_test(a_range_is_picked_over_shards_and_streams),
		cmocka_unit_test(lengths_come_from_the_shards_own_account),
		cmocka_unit_test(a_shard_joined_alone_is_the_same_bytes),
		cmocka_unit_test(joined_inputs_hold_all_their_records),
		cmocka_unit_test(a_range_is_joined_by_cutting_frames),
		cmocka_unit_test(frames_go_over_as_they_are_or_anew),
		cmocka_unit_test(a_fragment_joined_has_a_provenance),
		cmocka_unit_test(a_sound_stream_has_no_fault),
		cmocka_unit_test(every_flipped_bit_of_a_frame_is_told),
		cmocka_unit_test(
		    all_damaged_frames_are_told_by_number_or_place),
		cmocka_unit_test(what_is_cut_or_no_stream_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
