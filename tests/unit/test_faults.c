/*
 * What a module does where memory or a read fails, whichever: each scenario
 * runs again and again, and at the N-th time its N-th call for memory (or its
 * N-th read) fails, until there are no more.  It must say so, leave nothing
 * behind, and never do something else instead.
 */
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "encode.h"
#include "faults.h"
#include "frame.h"
#include "golden.h"
#include "join.h"
#include "jsonscan.h"
#include "layout.h"
#include "mel.h"
#include "model.h"
#include "ossicle.h"
#include "paircheck.h"
#include "pick.h"
#include "record.h"
#include "safetensors.h"
#include "shard.h"
#include "source.h"
#include "streams.h"
#include "table.h"
#include "tally.h"
#include "template.h"
#include "tokenizers.h"
#include "tools.h"
#include "verify.h"
#include "view.h"

/* What scenarios work on; made before anything fails. */
static struct {
	struct buf shard, large, stored, packed, tokenizer, keys;
	int shard_fd, large_fd, packed_fd;
	struct bpe *bpe;
	struct model *model;
	struct encoder encoder;
	char noise[300000];
	float pcm[48000];
} given;

typedef int scenario(struct err *e);

/* Run S with its N-th call hit by FAULT: whether there is an N-th. */
static bool
once(scenario *s, enum fault fault, long n)
{
	struct err e = { 0 };
	long live = plan.live;
	int rc;

	plan.fault = fault;
	plan.left = n;
	plan.met = false;
	plan.on = true;
	rc = s(&e);
	plan.on = false;
	if (rc < 0 && (!plan.met || fault > NO_READ))
		fail_msg("%d, %ld: %s", (int)fault, n, e.text);
	if (rc < 0 && e.kind != (fault == NO_MEMORY ? ERR_MEMORY : ERR_SYSTEM))
		fail_msg("%ld: it is called %d: %s", n, (int)e.kind, e.text);
	if (rc < 0)
		assert_true(e.text[0] != '\0');
	if (plan.met && fault == NO_READ)
		assert_int_equal(rc, -1);
	if (plan.live != live)
		fail_msg("%ld: %ld pieces of memory are left", n,
		    plan.live - live);
	return plan.met;
}

/* S survives each fault of its calls; there are at least so many of each. */
static void
each_call(scenario *s, long allocations, long reads)
{
	for (int fault = 0; fault < FAULTS; fault++) {
		long n = 0, least = fault == NO_MEMORY ? allocations : reads;

		while (once(s, (enum fault)fault, n))
			n++;
		if (n < least)
			fail_msg("%d: only %ld calls", fault, n);
	}
}

/* Compress two parts at LEVEL, and expand that again. */
static int
there_and_back(int level, struct err *e)
{
	struct frame_part parts[2] = { { given.noise, 200000 },
	    { given.noise + 200000, 100000 } };
	struct frame_codec *c = frame_codec_new(e);
	struct buf out = { 0 }, plain = { 0 };
	struct frame f = { 0 };
	struct source *s = NULL;
	int rc = -1, fd = -1;

	if (c == NULL || frame_gather(c, level, parts, 2, &out, e) < 0 ||
	    frame_skippable(FRAME_MAGIC_LENGTHS, "abc", 3, &out, e) < 0)
		goto out;
	fd = file_of(out.p, out.n);
	s = source_new(fd, 1 << 20, e);
	if (s == NULL || source_read(s, &f, e) < 0 ||
	    source_read(s, &f, e) < 0 || frame_expand(c, &f, &plain, e) < 0)
		goto out;
	assert_int_equal(plain.n, sizeof given.noise);
	assert_memory_equal(plain.p, given.noise, plain.n);
	rc = 0;
out:
	if (fd >= 0)
		(void)close(fd);
	source_free(s);
	frame_codec_free(c);
	buf_free(&out);
	buf_free(&plain);
	buf_free(&f.raw);
	return rc;
}

static int
frames_packed(struct err *e)
{
	return there_and_back(1, e);
}

static int
frames_stored(struct err *e)
{
	return there_and_back(0, e);
}

static int
inflating(struct err *e)
{
	struct frame_inflate *z = frame_inflate_new(given.packed_fd, e);
	char *p = given.noise;
	char out[10000];
	size_t got = 1;
	int rc = z == NULL ? -1 : 0;

	(void)lseek(given.packed_fd, 0, SEEK_SET);
	while (rc == 0 && got > 0) {
		rc = frame_inflate_read(z, out, sizeof out, &got, e);
		if (rc == 0)
			assert_memory_equal(out, p, got);
		p += got;
	}
	if (rc == 0)
		assert_int_equal(p - given.noise, sizeof given.noise);
	frame_inflate_free(z);
	return rc;
}

/* Every record of the shard FD, and all that it says of lengths. */
static int
read_shard(int fd, struct err *e)
{
	struct shard *s = NULL;
	struct content_record r;
	struct buf lengths = { 0 };
	char text[64];
	int rc = shard_new(fd, 1 << 20, &s, e);

	if (rc > 0)
		rc = shard_lengths(s, 0, &lengths, e);
	for (uint64_t i = 0; rc > 0 && i < shard_records(s); i++) {
		if (shard_read(s, i, &r, e) < 0) {
			rc = -1;
			break;
		}
		(void)snprintf(text, sizeof text, "{\"number\":%u",
		    (unsigned)i);
		assert_memory_equal(r.p, text, strlen(text));
	}
	shard_free(s);
	buf_free(&lengths);
	if (rc < 0)
		return -1;
	assert_int_equal(rc, 1);
	return 0;
}

static int
small_shard(struct err *e)
{
	return read_shard(given.shard_fd, e);
}

static int
large_shard(struct err *e)
{
	return read_shard(given.large_fd, e);
}

static int
images(struct err *e)
{
	static const char json[] = "{\"a\":\"\\u00e9\"}";
	struct tensor t[2] = {
		{ "b", DTYPE_I16, 1, { 2, 0 }, "1234", 4 },
		{ "a", DTYPE_F32, 2, { 1, 1 }, "5678", 4 },
	}, again[2];
	struct buf out = { 0 }, text = { 0 };
	size_t n;
	int rc = safetensors_write(t, 2, json, sizeof json - 1, &out, e);

	if (rc == 0)
		rc = safetensors_read(out.p, out.n, again, 2, &n, &text, e);
	if (rc == 0) {
		assert_int_equal(n, 2);
		assert_int_equal(text.n, sizeof json - 1);
		assert_memory_equal(again[0].data, "5678", 4);
		assert_memory_equal(again[1].data, "1234", 4);
	}
	buf_free(&out);
	buf_free(&text);
	return rc;
}

static int
json_texts(struct err *e)
{
	struct jsonspan v = jsonscan_value(given.keys.p, given.keys.n), text;
	struct buf b = { 0 };
	int rc = jsonscan_check(v.p, v.n, NULL, e);

	if (rc == 0)
		rc = jsonscan_minify(v, &b, e);
	if (rc == 0) {
		assert_true(b.n < v.n);
		rc = jsonscan_text(jsonscan_get(v, "k7"), &b, &text, e);
	}
	if (rc == 0) {
		assert_int_equal(text.n, 1);
		assert_int_equal(text.p[0], '\n');
	}
	buf_free(&b);
	return rc;
}

static int
tokenizer(struct err *e)
{
	static const char text[] = "Say it: caf\xc3\xa9, 123 <|im_end|> \xe4"
	    "\xbd\xa0 supercalifragilisticexpialidocioussupercalifragilistic"
	    "expialidocious";
	struct bpe *b = bpe_load(given.tokenizer.p, given.tokenizer.n, NULL,
	    e);
	struct bpe_cache *c = b == NULL ? NULL : bpe_cache_new(b, e);
	struct bpe_ids ids = { 0 };
	struct buf out = { 0 };
	int rc = c == NULL ? -1 : 0;

	for (int i = 0; rc == 0 && i < 2; i++)
		rc = bpe_encode(b, c, text, sizeof text - 1, &ids, e);
	if (rc == 0)
		rc = bpe_decode(b, ids.p, ids.n, &out, e);
	if (rc == 0) {
		assert_int_equal(out.n, 2 * (sizeof text - 1));
		assert_memory_equal(out.p, text, sizeof text - 1);
	}
	bpe_cache_free(c);
	bpe_free(b);
	bpe_ids_free(&ids);
	buf_free(&out);
	return rc;
}

static int
spectrogram(struct err *e)
{
	struct mel_plan *p = mel_plan_new(80, e);
	struct mel_work *w = p == NULL ? NULL : mel_work_new(e);

	mel_plan_free(p);
	mel_work_free(w);
	return p == NULL || w == NULL ? -1 : 0;
}

static int
lengths_and_tables(struct err *e)
{
	static const uint32_t audio[3] = { 1, 2, 3 };
	struct stream_lengths row = { 5, 6, 3, audio };
	struct table *t = table_new(e);
	int rc = t == NULL ? -1 : 0;

	for (int i = 0; rc == 0 && i < 3000; i++)
		rc = table_add_data(t, 100, 200, 1, &row, e);
	if (rc == 0)
		rc = table_add_skippable(t, 12, e);
	table_free(t);
	return rc;
}

static int
counting(struct err *e)
{
	struct tally *t = tally_new(e);
	int rc = t == NULL ? -1 : 0;

	for (unsigned i = 0; rc == 0 && i < 100; i++)
		rc = tally_begin(t, e);
	if (rc == 0)
		tally_end(t, 0, 0);
	tally_free(t);
	return rc;
}

static int
joining(struct err *e)
{
	struct join_rules rules = { .frame_max = 1 << 20, .level = 1,
	    .first = 2, .last = 30 };
	int to = file_of("", 0);
	struct join *j = join_new(to, &rules, e);
	int rc = j == NULL ? -1 : 0;

	(void)lseek(given.shard_fd, 0, SEEK_SET);
	if (rc == 0)
		rc = join_input(j, given.shard_fd, e);
	if (rc == 0)
		rc = join_end(j, e);
	join_free(j);
	(void)close(to);
	return rc;
}

static int
one_more(void *self, uint64_t number, struct view *v, struct err *e)
{
	uint64_t *n = self;

	(void)number;
	(void)e;
	*n += view_json(v).n > 0;
	return 0;
}

static int
sum_up(void *self, uint64_t number, const struct stream_lengths *row,
    struct err *e)
{
	uint64_t *n = self;

	(void)number;
	(void)e;
	*n += row->n_audios < 4;
	return 0;
}

/* Pick by what P wants: all records of the shard. */
static int
pick_all(struct pick *p, struct err *e)
{
	uint64_t n = 0;
	int rc;

	p->frame_max = 1 << 20;
	p->self = &n;
	(void)lseek(given.shard_fd, 0, SEEK_SET);
	rc = pick_input(p, given.shard_fd, e);
	if (rc == 0)
		assert_int_equal(n, p->last == 10 ? 11 : 39);
	return rc;
}

static int
picking(struct err *e)
{
	struct pick p = { .last = UINT64_MAX, .each = one_more };

	return pick_all(&p, e);
}

static int
picking_some(struct err *e)
{
	struct pick p = { .last = 10, .each = one_more };

	return pick_all(&p, e);
}

static int
picking_lengths(struct err *e)
{
	struct pick p = { .last = UINT64_MAX, .row = sum_up };

	return pick_all(&p, e);
}

static void
no_fault(void *self, const struct err *fault)
{
	(void)self;
	fail_msg("%s", fault->text);
}

static int
verifying(struct err *e)
{
	struct verify v = { .frame_max = 1 << 20, .fault = no_fault };

	(void)lseek(given.shard_fd, 0, SEEK_SET);
	return verify_input(&v, given.shard_fd, e);
}

static int
opening_a_model(struct err *e)
{
	struct model *m = model_open("examples/demo/model", e);
	int rc = m == NULL || model_tokenizer(m, e) == NULL ||
	    model_tokens(m, e) == NULL || model_features(m, e) == NULL ?
	    -1 : 0;

	/* A model's file that cannot be read is the model's fault. */
	if (rc < 0 && plan.fault == NO_READ && e->kind == ERR_MODEL)
		e->kind = ERR_SYSTEM;
	model_free(m);
	return rc;
}

static int
a_pair_from_data_to_ids(struct err *e)
{
	static const char text[] = "{\"conversations\":[{\"from\":\"human\","
	    "\"value\":\"<audio>What\\nis \\\"it\\\"?\"},{\"from\":"
	    "\"function_call\",\"value\":\"{\\\"name\\\": \\\"f\\\", "
	    "\\\"arguments\\\": {\\\"x\\\": [1, 2.50]}}\"},{\"from\":"
	    "\"observation\",\"value\":\"7\"}],\"chosen\":{\"from\":\"gpt\","
	    "\"value\":\"Yes.\"},\"rejected\":{\"from\":\"gpt\",\"value\":"
	    "\"No.\"},\"system\":\"Be brief.\",\"audios\":[\"a.wav\"],"
	    "\"tools\":\"[{\\\"name\\\": \\\"f\\\", \\\"description\\\": "
	    "\\\"d\\\", \\\"parameters\\\": {\\\"type\\\": \\\"object\\\","
	    "\\\"properties\\\": {\\\"x\\\": {\\\"type\\\": \\\"array\\\","
	    "\\\"description\\\": \\\"n\\\"}}, \\\"required\\\": []}}]\","
	    "\"more\":[{\"b\":1}]}";
	static const uint32_t tokens = 3;
	struct layout layout = { 0 };
	struct pair pair = { 0 }, again = { 0 };
	struct record *r = record_new(e), *copy = record_new(e);
	struct encode_work w = { 0 };
	struct buf json = { 0 };
	int rc = -1;

	if (r == NULL || copy == NULL ||
	    layout_read(&layout, dataset_usual(DATASET_SHAREGPT),
	    jsonscan_value(text, sizeof text - 1), &pair, e) < 0 ||
	    paircheck_run(&pair, e) < 0 || pair_write(&pair, r, e) < 0 ||
	    record_put_json(r, &json, e) < 0 ||
	    record_parse(copy, json.p, json.n, e) < 0 ||
	    pair_read(&again, copy, e) < 0 ||
	    encode_begin(&w, &given.encoder, e) < 0 ||
	    encode_pair(&given.encoder, &w, &again, &tokens, 1, e) < 0 ||
	    record_note(r, "x", CODE_SAME_RESPONSE, "a", "b", e) < 0 ||
	    record_note_to_error(r, 0, e) < 0 ||
	    record_put_json(r, &json, e) < 0)
		goto out;
	assert_int_equal(encode_count_audio(&given.encoder, w.prompt.p,
	    w.prompt.n), 5);
	rc = 0;
out:
	layout_free(&layout);
	pair_free(&pair);
	pair_free(&again);
	record_free(r);
	record_free(copy);
	encode_free(&w);
	buf_free(&json);
	return rc;
}

static int
a_provenance(struct err *e)
{
	struct provenance *p = provenance_new("x", "1", e);
	struct buf out = { 0 };
	int rc = p == NULL || provenance_library(p, "zstd", "1", e) < 0 ||
	    provenance_option(p, "min", "1", e) < 0 ||
	    provenance_option(p, "min", "2", e) < 0 ||
	    provenance_model(p, "a.json", "00", e) < 0 ||
	    provenance_input(p, "caf\xe9", e) < 0 ||
	    provenance_input(p, "b", e) < 0 ||
	    provenance_frame(p, &out, e) < 0 ||
	    provenance_check(out.p + 8, out.n - 8, e) < 0 ? -1 : 0;

	provenance_free(p);
	buf_free(&out);
	return rc;
}

/* What the public interface said, as the library says it. */
static int
told(const struct ossicle_error *said, struct err *e)
{
	static const enum err_kind kinds[] = {
		[OSSICLE_OK] = ERR_NONE, [OSSICLE_ARGUMENT] = ERR_USAGE,
		[OSSICLE_SYSTEM] = ERR_SYSTEM, [OSSICLE_MEMORY] = ERR_MEMORY,
		[OSSICLE_TRUNCATED] = ERR_TRUNCATED,
		[OSSICLE_DAMAGED] = ERR_DAMAGED, [OSSICLE_ABSENT] = ERR_ABSENT,
	};

	return err_set(e, kinds[said->kind], "%s", said->text);
}

static int
writing_in_public(struct err *e)
{
	static const struct ossicle_tensor t = { "x", OSSICLE_I16, 1, { 2, 0 },
	    "1234", 4 };
	static const struct ossicle_record records[] = {
		{ "{\"a\":1}", 7, NULL, 0 }, { "{\"b\":2}", 7, &t, 1 },
	};
	static const char program[] = "{\"ossicle\":1,\"program\":\"x\"}";
	static const struct ossicle_text first = { program,
	    sizeof program - 1 };
	static const struct ossicle_provenance chain = { &first, 1 };
	struct ossicle_error said = { 0 };
	int to = file_of("", 0), rc = -1;
	struct ossicle_writer *w = ossicle_writer_open(to, 1, 3, "p", "1",
	    &said);

	if (w != NULL && ossicle_writer_provenance(w, &chain, &said) == 0 &&
	    ossicle_write(w, &records[0], &said) == 0 &&
	    ossicle_write(w, &records[1], &said) == 0 &&
	    ossicle_writer_end(w, &said) == 0)
		rc = 0;
	ossicle_writer_close(w);
	(void)close(to);
	return rc < 0 ? told(&said, e) : 0;
}

static int
reading_in_public(struct err *e)
{
	struct ossicle_error said = { 0 };
	struct ossicle_record record;
	struct ossicle_provenance chain;
	struct ossicle_reader *r = ossicle_reader_open(given.shard_fd, 1 << 20,
	    0, &said);
	int rc = r == NULL ? -1 : 1, n = 0;

	(void)lseek(given.shard_fd, 0, SEEK_SET);
	while (rc > 0 && (rc = ossicle_read(r, &record, &said)) > 0) {
		n++;
		if (ossicle_reader_provenance(r, &chain, &said) < 0)
			rc = -1;
		else
			assert_int_equal(chain.n, 2);
	}
	if (rc == 0)
		assert_int_equal(n, 39);
	ossicle_reader_close(r);
	return rc < 0 ? told(&said, e) : 0;
}

static void
frames_survive_it(void **state)
{
	(void)state;
	each_call(frames_packed, 5, 2);
	each_call(frames_stored, 5, 2);
	each_call(inflating, 1, 3);
}

static void
shards_survive_it(void **state)
{
	(void)state;
	each_call(small_shard, 5, 10);
	each_call(large_shard, 6, 10);
}

static void
streams_survive_it(void **state)
{
	(void)state;
	each_call(joining, 10, 2);
	each_call(picking, 5, 2);
	each_call(picking_some, 5, 10);
	each_call(picking_lengths, 5, 5);
	each_call(verifying, 5, 2);
	each_call(reading_in_public, 5, 2);
	each_call(writing_in_public, 10, 0);
}

static void
small_things_survive_it(void **state)
{
	(void)state;
	each_call(images, 2, 0);
	each_call(json_texts, 3, 0);
	each_call(lengths_and_tables, 3, 0);
	each_call(counting, 2, 0);
	each_call(a_provenance, 10, 0);
	each_call(spectrogram, 3, 0);
}

static void
tokenizers_survive_it(void **state)
{
	(void)state;
	each_call(tokenizer, 20, 0);
}

static void
models_survive_it(void **state)
{
	(void)state;
	each_call(opening_a_model, 20, 4);
}

static void
pairs_survive_it(void **state)
{
	(void)state;
	each_call(a_pair_from_data_to_ids, 20, 0);
}

/* A shard whose table and lengths do not fit in one read. */
static void
make_large_shard(void)
{
	struct err e = { 0 };
	struct buf chain = { 0 };
	int fd = given.large_fd = file_of("", 0);
	struct stream_writer *w = stream_writer_new(fd, true, &e);

	assert_non_null(w);
	put_program(&chain, "x");
	assert_int_equal(stream_write_provenance(w, &chain, &e), 0);
	for (unsigned i = 0; i < 100; i++)
		write_records(w, 0, 1, i);
	assert_int_equal(stream_write_end(w, 0, &e), 0);
	stream_writer_free(w);
	buf_free(&chain);
}

static int
set_up(void **state)
{
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	uint32_t x = 7;

	(void)state;
	for (size_t i = 0; i < sizeof given.noise; i++) {
		x = x * 1664525 + 1013904223;
		given.noise[i] = (char)(x >> 24 & 0x3f);
	}
	assert_non_null(c);
	assert_int_equal(frame_compress(c, 1, given.noise,
	    sizeof given.noise, &given.packed, &e), 0);
	frame_codec_free(c);
	given.packed_fd = file_of(given.packed.p, given.packed.n);
	assert_int_equal(put_stream(&given.shard, "x", 20, 1, true), 39);
	given.shard_fd = file_of(given.shard.p, given.shard.n);
	make_large_shard();
	assert_int_equal(buf_putc(&given.keys, '{', &e), 0);
	for (int i = 0; i < 300; i++)
		assert_int_equal(buf_printf(&given.keys, &e,
		    "%s\"k%d\" : \"\\n\"", i > 0 ? "," : "", i), 0);
	assert_int_equal(buf_putc(&given.keys, '}', &e), 0);
	assert_int_equal(file_read("examples/demo/model/tokenizer.json",
	    16u << 20, &given.tokenizer, &e), 0);
	given.model = model_open("examples/demo/model", &e);
	assert_non_null(given.model);
	assert_int_equal(encode_open(&given.encoder,
	    template_find("qwen2_audio"), model_tokenizer(given.model, &e),
	    model_tokens(given.model, &e), NULL, true, &e), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	model_free(given.model);
	buf_free(&given.packed);
	buf_free(&given.shard);
	buf_free(&given.keys);
	buf_free(&given.tokenizer);
	(void)close(given.packed_fd);
	(void)close(given.shard_fd);
	(void)close(given.large_fd);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_survive_it),
		cmocka_unit_test(shards_survive_it),
		cmocka_unit_test(streams_survive_it),
		cmocka_unit_test(small_things_survive_it),
		cmocka_unit_test(tokenizers_survive_it),
		cmocka_unit_test(models_survive_it),
		cmocka_unit_test(pairs_survive_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
