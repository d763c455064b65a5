/* The writer's turn: what it writes of an item, where, and in which order. */
#include <fcntl.h>

#include "stages.h"

#include "outlet.h"
#include "outlet_inside.h"
#include "progress.h"
#include "provenance.h"
#include "queue.h"
#include "record.h"
#include "stage_run.h"
#include "stage_write.h"

static struct stage_run r;
static struct frame_codec *codec;
static struct task task;
static struct item item;
static struct record *rec;
static struct err e;
static FILE *out;

static int
begin(void **state)
{
	struct provenance *p = provenance_new("test", "1", &e);

	UNUSED(state);
	memset(&r, 0, sizeof r);
	memset(&task, 0, sizeof task);
	memset(&item, 0, sizeof item);
	if (p == NULL || provenance_frame(p, &r.own_chain, &e) < 0)
		return -1;
	provenance_free(p);
	out = tmpfile();
	codec = frame_codec_new(&e);
	rec = record_new(&e);
	r.rules = (struct outlet_rules){ .program = "test",
	    .frame_max = FRAME_PLAIN_MAX };
	r.join = outlet_new(&r.rules, &e);
	item.outlet = outlet_new(&r.rules, &e);
	item.task = &task;
	r.progress = progress_new("test", false, NULL, &e);
	if (out == NULL || codec == NULL || rec == NULL || r.join == NULL ||
	    item.outlet == NULL || r.progress == NULL)
		return -1;
	r.writer = stream_writer_new(fileno(out), false, &e);
	return r.writer == NULL;
}

static int
end(void **state)
{
	UNUSED(state);
	stream_writer_free(r.writer);
	progress_end(r.progress, "done");
	outlet_free(r.join);
	outlet_free(item.outlet);
	frame_codec_free(codec);
	record_free(rec);
	buf_free(&r.own_chain);
	buf_free(&r.chain);
	buf_free(&task.chain);
	return fclose(out);
}

/* Write an item of RECORDS, each put; FIRST and LAST of its task. */
static int
write_item(const char *const *records, bool first, bool last)
{
	item.first = first;
	item.last = last;
	outlet_begin(item.outlet, codec, !(first && last));
	for (; *records != NULL; records++) {
		assert_int_equal(record_parse(rec, *records,
		    strlen(*records), &e), 0);
		if (strchr(*records, '*') != NULL)
			memset(record_put_tensor(rec, "t", DTYPE_I32, 1, 1, 0,
			    &e), 0, 4);
		assert_int_equal(outlet_put(item.outlet, rec, &e), 0);
	}
	assert_int_equal(outlet_end(item.outlet, &e), 0);
	return stage_write_item(&r, &item, codec);
}

#define WRITE(first, last, ...) \
	write_item((const char *const []){ __VA_ARGS__ }, first, last)

static struct seen
seen(void)
{
	struct buf b = { 0 };
	struct seen s;

	slurp(out, &b);
	s = see(&b);
	buf_free(&b);
	return s;
}

static void
lines_of_one_task_are_one_frame(void **state)
{
	struct seen s;

	UNUSED(state);
	assert_int_equal(WRITE(true, false, "{\"data\":1}", NULL), 0);
	assert_int_equal(WRITE(false, false, NULL), 0);
	assert_int_equal(WRITE(false, true, "{\"data\":2}", "{\"data\":3}",
	    NULL), 0);
	assert_int_equal(WRITE(true, true, "{\"data\":4}", NULL), 0);
	assert_int_equal(stage_write_end(&r, 0, &e), 0);
	s = seen();
	assert_int_equal(s.rc, 0);
	assert_string_equal(s.shape, "3 1 ");
	text_is(&s.text, "{\"data\":1}\n{\"data\":2}\n{\"data\":3}\n"
	    "{\"data\":4}\n");
	seen_free(&s);
}

static void
tensors_part_the_lines_before_from_those_after(void **state)
{
	struct seen s;

	UNUSED(state);
	assert_int_equal(WRITE(true, false, "{\"data\":1}", NULL), 0);
	assert_int_equal(WRITE(false, false, "{\"data\":2}",
	    "{\"data\":\"*\"}", "{\"data\":3}", NULL), 0);
	assert_int_equal(WRITE(false, false, "{\"data\":4}", NULL), 0);
	assert_int_equal(WRITE(false, true, "{\"data\":\"*\"}", NULL), 0);
	assert_int_equal(stage_write_end(&r, 0, &e), 0);
	s = seen();
	assert_string_equal(s.shape, "2 * 2 * ");
	assert_int_equal(s.sums.records, 6);
	seen_free(&s);
}

static void
provenance_is_written_even_where_nothing_follows(void **state)
{
	struct seen s;

	UNUSED(state);
	assert_int_equal(stage_write_end(&r, 7, &e), 0);
	s = seen();
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.chains, 1);
	assert_int_equal(s.sums.rejected, 7);
	assert_true(contains(&s.chain, "\"program\":\"test\""));
	seen_free(&s);
}

static void
a_new_chain_comes_before_what_it_is_of(void **state)
{
	struct provenance *p = provenance_new("other", "1", &e);
	struct seen s;

	UNUSED(state);
	assert_non_null(p);
	assert_int_equal(provenance_frame(p, &task.chain, &e), 0);
	provenance_free(p);
	assert_int_equal(WRITE(true, true, "{\"data\":1}", NULL), 0);
	task.new_chain = true;
	assert_int_equal(WRITE(true, false, "{\"data\":2}", NULL), 0);
	assert_int_equal(WRITE(false, true, "{\"data\":3}", NULL), 0);
	task.new_chain = false;
	assert_int_equal(WRITE(true, true, "{\"data\":4}", NULL), 0);
	assert_int_equal(stage_write_end(&r, 0, &e), 0);
	s = seen();
	assert_string_equal(s.shape, "1 2 1 ");
	assert_int_equal(s.chains, 2);
	assert_true(contains(&s.chain, "\"program\":\"other\""));
	seen_free(&s);
}

static void
a_fault_comes_after_what_the_item_said(void **state)
{
	int ends[2], saved = dup(STDERR_FILENO), rc;
	char told[256] = "";

	UNUSED(state);
	assert_int_equal(pipe(ends), 0);
	assert_true(saved >= 0);
	item.first = item.last = true;
	outlet_begin(item.outlet, codec, false);
	assert_int_equal(record_parse(rec, "{\"error\":{\"code\":\"x\","
	    "\"message\":\"m\"}}", 36, &e), 0);
	assert_int_equal(outlet_put(item.outlet, rec, &e), 0);
	(void)err_set(&item.outlet->fault, ERR_DAMAGED, "it ends here");
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	rc = stage_write_item(&r, &item, codec);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(rc, -1);
	assert_int_equal(r.fault.kind, ERR_DAMAGED);
	assert_string_equal(r.fault.text, "it ends here");
	assert_true(read(ends[0], told, sizeof told - 1) > 0);
	assert_string_equal(told, "test: error: m [x]\n");
	assert_int_equal(r.records, 1);
	(void)close(saved);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void
a_full_disk_is_a_fault_at_the_end_at_the_latest(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	UNUSED(state);
	if (fd < 0)
		fail_msg("there is no /dev/full");
	stream_writer_free(r.writer);
	r.writer = stream_writer_new(fd, false, &e);
	assert_non_null(r.writer);
	assert_int_equal(WRITE(true, true, "{\"data\":1}", NULL), 0);
	assert_int_equal(stage_write_end(&r, 0, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	stage_write_rest(&r);
	(void)close(fd);
}

static void
what_came_before_a_fault_is_not_held_back(void **state)
{
	struct seen s;

	UNUSED(state);
	assert_int_equal(WRITE(true, true, "{\"data\":1}", NULL), 0);
	stage_write_rest(&r);
	s = seen();
	assert_string_equal(s.shape, "1 ");
	assert_int_equal(s.e.kind, ERR_TRUNCATED);
	seen_free(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_of_one_task_are_one_frame),
		TEST(tensors_part_the_lines_before_from_those_after),
		TEST(provenance_is_written_even_where_nothing_follows),
		TEST(a_new_chain_comes_before_what_it_is_of),
		TEST(a_fault_comes_after_what_the_item_said),
		TEST(a_full_disk_is_a_fault_at_the_end_at_the_latest),
		TEST(what_came_before_a_fault_is_not_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
