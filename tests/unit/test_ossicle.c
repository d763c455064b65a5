#include <fcntl.h>

#include "ossicle.h"
#include "streams.h"

/* A writer to a new file, and the file. */
static struct ossicle_writer *
open_writer(int *fd, int table, int level)
{
	struct ossicle_error e;
	struct ossicle_writer *w;

	*fd = file_of("", 0);
	w = ossicle_writer_open(*fd, table, level, "test", "7", &e);
	if (w == NULL)
		fail_msg("%s", e.text);
	return w;
}

static void
write_text(struct ossicle_writer *w, const char *json)
{
	struct ossicle_record r = { .json = json, .n_json = strlen(json) };
	struct ossicle_error e;

	if (ossicle_write(w, &r, &e) < 0)
		fail_msg("%s", e.text);
}

/* Write I as a record with tensors, its JSON and data all from I. */
static void
write_pair(struct ossicle_writer *w, int i)
{
	float mel[2 * 3];
	int32_t ids[64];
	char json[64];
	struct ossicle_tensor t[2] = {
		{ "input_features.0", OSSICLE_F32, 2, { 2, 3 }, mel,
		    sizeof mel },
		{ "chosen_input_ids", OSSICLE_I32, 1, { (uint64_t)i + 1 },
		    ids, 4 * ((size_t)i + 1) },
	};
	struct ossicle_record r = { json, 0, t, 2 };
	struct ossicle_error e;

	assert_true(i < 64);
	for (int k = 0; k < 6; k++)
		mel[k] = (float)(i * k) / 3;
	for (int k = 0; k <= i; k++)
		ids[k] = i * 100 + k;
	r.n_json = (size_t)snprintf(json, sizeof json,
	    "{\"i\":%d,\"audio\":[{\"tokens\":%d}]}", i, 2 * i);
	if (ossicle_write(w, &r, &e) < 0)
		fail_msg("%s", e.text);
}

/* R is what write_pair wrote of I. */
static void
is_pair(const struct ossicle_record *r, int i)
{
	const float *mel;
	const int32_t *ids;
	char json[64];

	(void)snprintf(json, sizeof json,
	    "{\"i\":%d,\"audio\":[{\"tokens\":%d}]}", i, 2 * i);
	assert_int_equal(r->n_json, strlen(json));
	assert_memory_equal(r->json, json, r->n_json);
	assert_int_equal(r->n_tensors, 2);
	assert_string_equal(r->tensors[0].name, "chosen_input_ids");
	assert_int_equal(r->tensors[0].type, OSSICLE_I32);
	assert_int_equal(r->tensors[0].rank, 1);
	assert_int_equal(r->tensors[0].shape[0], i + 1);
	ids = r->tensors[0].data;
	assert_int_equal(ids[i], i * 101);
	assert_string_equal(r->tensors[1].name, "input_features.0");
	assert_int_equal(r->tensors[1].rank, 2);
	assert_int_equal(r->tensors[1].shape[1], 3);
	assert_int_equal(r->tensors[1].n_bytes, 24);
	mel = r->tensors[1].data;
	assert_true(mel[5] == (float)(i * 5) / 3);
}

static void
what_is_written_is_read(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct ossicle_error e;
		int fd;
		struct ossicle_writer *w = open_writer(&fd, kind & 1, kind);
		struct ossicle_reader *r;
		struct ossicle_record record;

		for (int i = 0; i < 30; i++) {
			write_pair(w, i);
			write_text(w, "{\"text\":1}");
			write_text(w, "{\"text\":2,\"error\":{}}");
		}
		assert_int_equal(ossicle_writer_end(w, &e), 0);
		ossicle_writer_close(w);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		r = ossicle_reader_open(fd, 0, 0, &e);
		assert_non_null(r);
		for (int i = 0; i < 90; i++) {
			if (ossicle_read(r, &record, &e) != 1)
				fail_msg("%s", e.text);
			if (i % 3 == 0)
				is_pair(&record, i / 3);
			else
				assert_int_equal(record.json[8], '0' + i % 3);
			assert_int_equal(record.n_tensors, i % 3 ? 0 : 2);
		}
		assert_int_equal(ossicle_read(r, &record, &e), 0);
		assert_int_equal(ossicle_read(r, &record, &e), 0);
		ossicle_reader_close(r);
		(void)close(fd);
	}
}

static void
many_small_records_share_a_frame(void **state)
{
	struct ossicle_error e;
	struct buf b = { 0 };
	struct got g = { 0 };
	int fd;
	struct ossicle_writer *w = open_writer(&fd, 1, 0);

	(void)state;
	for (int i = 0; i < 20000; i++)
		write_text(w, "{\"a\":\"bcdefghijklmnop\"}");
	assert_int_equal(ossicle_writer_end(w, &e), 0);
	ossicle_writer_close(w);
	slurp(fd, &b);
	assert_int_equal(read_bytes(b.p, b.n, false, &g), 0);
	assert_int_equal(g.sums.records, 20000);
	assert_int_equal(g.sums.frames, (20000 * 25 + 65524) / 65525);
	got_free(&g);
	buf_free(&b);
	(void)close(fd);
}

static void
a_shard_gives_any_record(void **state)
{
	char path[] = "/tmp/ossicle-test-XXXXXX";
	struct ossicle_error e;
	struct ossicle_writer *w;
	struct ossicle_shard *s;
	struct ossicle_record record;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	w = ossicle_writer_open(fd, 1, 3, "test", "7", &e);
	assert_non_null(w);
	for (int i = 0; i < 50; i++)
		write_pair(w, i);
	assert_int_equal(ossicle_writer_end(w, &e), 0);
	ossicle_writer_close(w);
	s = ossicle_shard_open(path, 0, &e);
	if (s == NULL)
		fail_msg("%s", e.text);
	assert_int_equal(ossicle_shard_records(s), 50);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(ossicle_shard_read(s, (uint64_t)(i * 7 % 50),
		    &record, &e), 0);
		is_pair(&record, i * 7 % 50);
	}
	assert_int_equal(ossicle_shard_read(s, 50, &record, &e), -1);
	assert_int_equal(e.kind, OSSICLE_ABSENT);
	ossicle_shard_close(s);
	assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 1), 0);
	assert_null(ossicle_shard_open(path, 0, &e));
	assert_int_equal(e.kind, OSSICLE_DAMAGED);
	assert_true(e.hint[0] != '\0');
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
	assert_null(ossicle_shard_open(path, 0, &e));
	assert_int_equal(e.kind, OSSICLE_SYSTEM);
}

static void
a_stream_cut_anywhere_is_truncated(void **state)
{
	struct ossicle_error e;
	struct ossicle_record record;
	int fd;
	struct ossicle_writer *w = open_writer(&fd, 1, 0);
	off_t n;

	(void)state;
	write_pair(w, 1);
	write_text(w, "{}");
	assert_int_equal(ossicle_writer_end(w, &e), 0);
	ossicle_writer_close(w);
	n = lseek(fd, 0, SEEK_END);
	while (n-- > 0) {
		struct ossicle_reader *r;
		int rc;

		assert_int_equal(ftruncate(fd, n), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		r = ossicle_reader_open(fd, 0, 0, &e);
		assert_non_null(r);
		while ((rc = ossicle_read(r, &record, &e)) > 0)
			;
		assert_int_equal(rc, -1);
		assert_int_equal(e.kind, OSSICLE_TRUNCATED);
		ossicle_reader_close(r);
	}
	(void)close(fd);
}

static void
a_writer_that_does_not_end_is_truncated(void **state)
{
	struct ossicle_error e;
	struct ossicle_record record;
	struct ossicle_reader *r;
	int fd;
	struct ossicle_writer *w = open_writer(&fd, 0, 0);

	(void)state;
	write_pair(w, 1);
	ossicle_writer_close(w);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	r = ossicle_reader_open(fd, 0, 0, &e);
	assert_non_null(r);
	while (ossicle_read(r, &record, &e) > 0)
		;
	assert_int_equal(e.kind, OSSICLE_TRUNCATED);
	ossicle_reader_close(r);
	(void)close(fd);
}

static void
what_cannot_be_a_record_is_not_written(void **state)
{
	static const char *const bad[] = { "", "7", "[]", "{",
	    "{\"a\":1,\"a\":1}", "{\"a\":\n1}", "{\"a\":\"\xff\"}" };
	struct ossicle_tensor t = { "x", OSSICLE_F32, 1, { 1 }, "1234", 4 };
	struct ossicle_record r = { "{}", 2, &t, 1 };
	struct ossicle_error e;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0] + 6; i++) {
		struct ossicle_writer *w = open_writer(&fd, 0, 0);
		size_t k = i - sizeof bad / sizeof bad[0];
		struct ossicle_tensor wrong = t;
		struct ossicle_record text = { bad[i < 7 ? i : 0], 0, NULL, 0 };

		text.n_json = strlen(text.json);
		if (k == 0)
			wrong.name = "";
		if (k == 1)
			wrong.name = "0123456789012345678901234567890123456789"
			    "012345678901234567890123";
		if (k == 2)
			wrong.rank = 3;
		if (k == 3)
			wrong.n_bytes = 5;
		if (k == 4)
			wrong.type = (enum ossicle_type)9;
		if (k == 5)
			wrong.name = "a\"b";	/* its name would be escaped */
		r.tensors = &wrong;
		assert_int_equal(ossicle_write(w, i < 7 ? &text : &r, &e),
		    -1);
		assert_true(e.kind == OSSICLE_ARGUMENT ||
		    e.kind == OSSICLE_SYSTEM);
		assert_true(e.text[0] != '\0');
		ossicle_writer_close(w);
		(void)close(fd);
	}
}

static void
provenance_is_handed_on(void **state)
{
	struct ossicle_error e;
	struct ossicle_provenance p;
	struct ossicle_record record;
	struct ossicle_reader *r;
	int fd, next;
	struct ossicle_writer *w = open_writer(&fd, 0, 0);
	struct ossicle_writer *v = open_writer(&next, 1, 0);
	struct ossicle_text bad = { "{\"ossicle\":2}", 13 };
	struct ossicle_provenance wrong = { &bad, 1 };

	(void)state;
	write_text(w, "{}");
	assert_int_equal(ossicle_writer_end(w, &e), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	r = ossicle_reader_open(fd, 0, 0, &e);
	assert_non_null(r);
	assert_int_equal(ossicle_read(r, &record, &e), 1);
	assert_int_equal(ossicle_reader_provenance(r, &p, &e), 0);
	assert_int_equal(p.n, 1);
	assert_memory_equal(p.programs[0].p,
	    "{\"ossicle\":1,\"program\":\"test\",\"version\":\"7\"", 43);
	assert_int_equal(ossicle_writer_provenance(v, &p, &e), 0);
	assert_int_equal(ossicle_write(v, &record, &e), 0);
	assert_int_equal(ossicle_writer_end(v, &e), 0);
	ossicle_reader_close(r);
	assert_int_equal(lseek(next, 0, SEEK_SET), 0);
	r = ossicle_reader_open(next, 0, 0, &e);
	assert_non_null(r);
	assert_int_equal(ossicle_read(r, &record, &e), 1);
	assert_int_equal(ossicle_reader_provenance(r, &p, &e), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(ossicle_read(r, &record, &e), 0);
	assert_int_equal(ossicle_writer_provenance(v, &wrong, &e), -1);
	ossicle_reader_close(r);
	ossicle_writer_close(w);
	ossicle_writer_close(v);
	(void)close(fd);
	(void)close(next);
}

static void
limits_and_arguments_are_checked(void **state)
{
	struct ossicle_error e;
	struct ossicle_record record;
	struct ossicle_reader *r;
	int fd;
	struct ossicle_writer *w = open_writer(&fd, 0, 0);

	(void)state;
	assert_null(ossicle_writer_open(1, 0, 1000, "x", "1", &e));
	assert_int_equal(e.kind, OSSICLE_ARGUMENT);
	assert_string_equal(ossicle_version(), OSSICLE_VERSION);
	write_text(w, "{\"a\":\"01234567890123456789\"}");
	assert_int_equal(ossicle_writer_end(w, &e), 0);
	ossicle_writer_close(w);
	for (int limit = 20; limit <= 40; limit += 20) {
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		r = ossicle_reader_open(fd, (uint64_t)limit, 0, &e);
		assert_non_null(r);
		assert_int_equal(ossicle_read(r, &record, &e),
		    limit == 20 ? -1 : 1);
		ossicle_reader_close(r);
	}
	/* A part of a stream is read where that is meant. */
	assert_int_equal(ftruncate(fd, 0), 0);
	for (int fragment = 0; fragment < 2; fragment++) {
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		r = ossicle_reader_open(fd, 0, fragment, &e);
		assert_non_null(r);
		assert_int_equal(ossicle_read(r, &record, &e),
		    fragment ? 0 : -1);
		ossicle_reader_close(r);
	}
	ossicle_reader_close(NULL);
	ossicle_shard_close(NULL);
	ossicle_writer_close(NULL);
	(void)close(fd);
}

static void
a_full_disk_is_a_system_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	struct ossicle_error e;
	struct ossicle_writer *w;

	(void)state;
	if (fd < 0)
		skip();
	w = ossicle_writer_open(fd, 1, 0, "test", "7", &e);
	assert_non_null(w);
	write_text(w, "{}");
	assert_int_equal(ossicle_writer_end(w, &e), -1);
	assert_int_equal(e.kind, OSSICLE_SYSTEM);
	ossicle_writer_close(w);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(many_small_records_share_a_frame),
		cmocka_unit_test(a_shard_gives_any_record),
		cmocka_unit_test(a_stream_cut_anywhere_is_truncated),
		cmocka_unit_test(a_writer_that_does_not_end_is_truncated),
		cmocka_unit_test(what_cannot_be_a_record_is_not_written),
		cmocka_unit_test(provenance_is_handed_on),
		cmocka_unit_test(limits_and_arguments_are_checked),
		cmocka_unit_test(a_full_disk_is_a_system_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
