/*
 * The promises of the stage about how a run ends: what is published, what is
 * rejected, with which status, and what a source or a program that fails
 * leaves behind.
 */
#include <sys/stat.h>

#include <signal.h>

#include "model.h"
#include "obey.h"

/* A folder of our own, and paths in it. */
struct place {
	char dir[64];
	char shard[96], rejects[96], stats[96];
};

static int
make_place(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	assert_non_null(p);
	(void)snprintf(p->dir, sizeof p->dir, "/tmp/test_stage.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->shard, sizeof p->shard, "%s/out.zst", p->dir);
	(void)snprintf(p->rejects, sizeof p->rejects, "%s/rej", p->dir);
	(void)snprintf(p->stats, sizeof p->stats, "%s/stats", p->dir);
	*state = p;
	return 0;
}

/* The folder must be empty by now: no temporary is left. */
static int
remove_place(void **state)
{
	struct place *p = *state;
	int rc;

	(void)unlink(p->shard);
	(void)unlink(p->rejects);
	(void)unlink(p->stats);
	rc = rmdir(p->dir);
	free(p);
	return rc;
}

static bool
exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void
rejects_are_taken_out_to_their_file(void **state)
{
	const struct place *p = *state;
	struct buf in = stream_with(4, 10, third_is_bad);
	struct ran r = RUN(&obeys, NULL, &in, "-r", p->rejects, NULL);
	struct seen s = see(&r.out);
	struct buf rejects = file_content(p->rejects);

	assert_int_equal(r.status, 0);
	text_is(&rejects, "{\"at\":{\"file\":\"d.json\",\"offset\":20,"
	    "\"line\":3},\"data\":{\"n\":2,\"bad\":1},\"error\":{\"stage\":"
	    "\"obey\",\"code\":\"audio-count\",\"message\":\"2 <audio> tags "
	    "but 1 entry\",\"hint\":\"add one\"}}\n");
	assert_string_equal(s.shape, "3 ");
	assert_int_equal(s.sums.records, 3);
	assert_int_equal(s.sums.errors, 0);
	assert_int_equal(s.sums.rejected, 1);
	assert_true(contains(&r.err, "d.json:3: error: "));
	buf_free(&rejects);
	seen_free(&s);
	ran_free(&r);
	buf_free(&in);
}

static void
rejects_of_the_programs_before_count_and_are_handed_on(void **state)
{
	const struct place *p = *state;
	struct buf in = stream_with(40, 10, mixed);
	struct ran a = RUN(&obeys, NULL, &in, "-r", p->rejects, NULL);
	struct ran b = RUN(&passes, NULL, &a.out, NULL);
	struct ran c = RUN(&passes, NULL, &b.out, "-r", p->rejects,
	    "--max-rejects", "6", NULL);
	struct ran d = RUN(&passes, NULL, &b.out, "-r", p->rejects,
	    "--max-rejects", "5", NULL);
	struct seen s = see(&b.out);
	struct buf none = file_content(p->rejects);

	/* 6, 11, 18, 23, 30 and 35. */
	assert_int_equal(a.status, 0);
	assert_int_equal(s.sums.rejected, 6);
	assert_int_equal(c.status, 0);
	assert_int_equal(d.status, 1);
	text_is(&d.err, "pass: error: 6 of 40 records were rejected; "
	    "--max-rejects allows 5\n  hint: see what is wrong with them in "
	    "the rejects, and mend it; --max-rejects 100% lets all through\n");
	text_is(&none, "");
	buf_free(&none);
	seen_free(&s);
	ran_free(&a);
	ran_free(&b);
	ran_free(&c);
	ran_free(&d);
	buf_free(&in);
}

static const char *
all_are_bad(unsigned i)
{
	UNUSED(i);
	return "\"bad\":1";
}

static void
too_many_rejects_publish_nothing_but_the_rejects(void **state)
{
	const struct place *p = *state;
	struct buf in = stream_with(11, 4, all_are_bad);
	struct buf few = stream_with(10, 4, all_are_bad);
	struct ran r = RUN(&obeys, NULL, &in, "-q", "-o", p->shard, "-r",
	    p->rejects, NULL);
	struct buf rejects = file_content(p->rejects);
	struct ran piped, next;

	assert_int_equal(r.status, 1);
	assert_false(exists(p->shard));
	assert_true(rejects.n > 1000);
	assert_true(contains(&r.err, "11 of 11 records were rejected"));
	ran_free(&r);
	buf_free(&rejects);
	/* Nor is a pipe's reader left with what looks like a data set. */
	piped = RUN(&obeys, NULL, &in, "-q", "-r", p->rejects, NULL);
	next = RUN(&passes, NULL, &piped.out, NULL);
	assert_int_equal(piped.status, 1);
	assert_int_equal(next.status, 3);
	ran_free(&next);
	ran_free(&piped);
	r = RUN(&obeys, NULL, &few, "-q", "-o", p->shard, "-r", p->rejects,
	    NULL);
	assert_int_equal(r.status, 0);
	assert_true(exists(p->shard));
	ran_free(&r);
	buf_free(&few);
	buf_free(&in);
}

static void
a_program_that_packs_takes_no_errored_record(void **state)
{
	const struct place *p = *state;
	struct buf in = stream_with(4, 10, third_is_bad);
	struct ran errored = RUN(&obeys, NULL, &in, "-q", NULL);
	struct ran r = RUN(&packs, NULL, &errored.out, "-o", p->shard, NULL);

	assert_int_equal(r.status, 1);
	assert_false(exists(p->shard));
	text_is(&r.err, "pack: error: d.json:3: the record carries an error, "
	    "\"audio-count\", and cannot be packed\n"
	    "  hint: -r FILE takes such records out of the stream\n");
	ran_free(&r);
	r = RUN(&packs, NULL, &errored.out, "-o", p->shard, "-r", p->rejects,
	    NULL);
	assert_int_equal(r.status, 0);
	assert_true(exists(p->shard));
	ran_free(&r);
	ran_free(&errored);
	buf_free(&in);
}

static void
a_failed_run_leaves_the_old_shard_and_writes_the_rejects(void **state)
{
	static const char *const text = "{\"data\":{\"bad\":1}}\n"
	    "{\"data\":{\"fatal\":1}}\n";
	const struct place *p = *state;
	struct buf in = stream_of(text, 1, pass), old = { 0 }, rejects;
	FILE *f = fopen(p->shard, "wb");
	struct ran r;

	assert_non_null(f);
	assert_true(fputs("as before", f) >= 0);
	assert_int_equal(fclose(f), 0);
	r = RUN(&obeys, NULL, &in, "-o", p->shard, "-r", p->rejects, NULL);
	assert_int_equal(r.status, 3);
	old = file_content(p->shard);
	rejects = file_content(p->rejects);
	text_is(&old, "as before");
	assert_true(contains(&rejects, "audio-count"));
	buf_free(&old);
	buf_free(&rejects);
	ran_free(&r);
	buf_free(&in);
}

static void
a_shard_says_how_long_its_records_are(void **state)
{
	static const char *const text =
	    "{\"data\":{\"n\":0}}\n"
	    "{\"data\":{\"tensor\":7},\"audio\":[{\"tokens\":25},"
	    "{\"tokens\":3}]}\n"
	    "{\"data\":{\"n\":1},\"audio\":[{\"path\":\"x\"}]}\n"
	    "{\"data\":{\"bad\":1}}\n";
	const struct place *p = *state;
	struct buf in = stream_of(text, 9, pass);
	const struct stage *const stages[] = { &obeys, &obeys_records };

	for (int i = 0; i < 2; i++) {
		struct ran r = RUN(stages[i], NULL, &in, "-o", p->shard, "-q",
		    "-j", "3", NULL);
		struct buf shard = file_content(p->shard);
		struct seen s = see(&shard);

		assert_int_equal(r.status, 0);
		assert_int_equal(r.out.n, 0);
		assert_int_equal(s.rc, 0);
		assert_string_equal(s.shape, "1 * 2 ");
		assert_true(contains(&shard, "{\"records\":[1,1,2],"
		    "\"chosen\":[0,7,0,0],\"rejected\":[0,0,0,0],"
		    "\"audio\":[[],[25,3],[0],[]]}"));
		assert_true(contains(&shard, "\"table\":true"));
		seen_free(&s);
		buf_free(&shard);
		ran_free(&r);
	}
	buf_free(&in);
}

static void
a_record_too_long_for_a_frame_goes_on_without_what_is_long(void **state)
{
	char *text = malloc(200000);
	struct buf in;
	struct ran r;
	struct seen s;
	size_t n;

	UNUSED(state);
	assert_non_null(text);
	n = (size_t)sprintf(text,
	    "{\"at\":{\"file\":\"a\",\"offset\":0,\"line\":1},"
	    "\"data\":{\"tensor\":16300}}\n"
	    "{\"at\":{\"file\":\"a\",\"offset\":9,\"line\":2},"
	    "\"data\":{\"tensor\":16384}}\n"
	    "{\"at\":{\"file\":\"a\",\"offset\":19,\"line\":3},\"data\":\"");
	memset(text + n, 'x', 65537);
	n += 65537;
	(void)sprintf(text + n, "\"}\n{\"data\":{}}\n");
	in = stream_of(text, 1, pass);
	r = RUN(&obeys, NULL, &in, "--max-frame", "65536", NULL);
	/* What it would not write it does not read either. */
	assert_int_equal(r.status, 3);
	ran_free(&r);
	buf_free(&in);
	(void)strcpy(strstr(text, "{\"at\":{\"file\":\"a\",\"offset\":19"), "");
	in = stream_of(text, 1, pass);
	r = RUN(&obeys, NULL, &in, "--max-frame", "65536", NULL);
	s = see(&r.out);
	assert_int_equal(r.status, 0);
	assert_string_equal(s.shape, "* 1 ");
	assert_int_equal(s.sums.errors, 1);
	assert_true(contains(&s.text, "\"data\":{\"tensor\":16384},\"error\":"
	    "{\"stage\":\"obey\",\"code\":\"record-too-long\""));
	assert_true(contains(&r.err, "a:2: error: the record takes "));
	seen_free(&s);
	ran_free(&r);
	buf_free(&in);
	free(text);
}

static void
nobody_to_read_ends_it_as_sigpipe_does(void **state)
{
	struct buf in = stream_with(3, 1, NULL);
	FILE *f = tmpfile(), *ferr = tmpfile();
	int ends[2], status;
	struct buf told = { 0 };
	pid_t pid;

	UNUSED(state);
	assert_true(f != NULL && ferr != NULL);
	assert_int_equal(fwrite(in.p, 1, in.n, f), in.n);
	rewind(f);
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *args[] = { (char *)"pass", NULL };

		if (dup2(fileno(f), 0) < 0 || dup2(ends[1], 1) < 0 ||
		    dup2(fileno(ferr), 2) < 0)
			_exit(99);
		_exit(stage_main(&passes, NULL, 1, args));
	}
	(void)close(ends[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGPIPE);
	slurp(ferr, &told);
	text_is(&told, "");
	(void)fclose(f);
	(void)fclose(ferr);
	buf_free(&in);
}

/* Its input stays open and silent; it must not wait for it. */
static void
a_run_that_has_failed_does_not_wait_for_input(void **state)
{
	struct buf in = stream_of("{\"data\":{\"fatal\":1}}\n", 1, pass);
	int ends[2], status;
	FILE *ferr = tmpfile();
	size_t n = in.n - 4;
	pid_t pid;

	UNUSED(state);
	while (memcmp(in.p + n, "]*M\x18", 4) != 0)
		n--;
	assert_non_null(ferr);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], in.p, n), n);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *args[] = { (char *)"obey", (char *)"-j2", NULL };

		(void)alarm(20);
		if (dup2(ends[0], 0) < 0 || dup2(fileno(ferr), 1) < 0 ||
		    dup2(fileno(ferr), 2) < 0)
			_exit(99);
		_exit(stage_main(&obeys, NULL, 2, args));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)fclose(ferr);
	buf_free(&in);
}

static void
stats_say_how_it_ended(void **state)
{
	const struct place *p = *state;
	struct buf in = stream_with(4, 2, third_is_bad);
	struct ran r = RUN(&obeys, NULL, &in, "--stats", p->stats, "-q", NULL);
	struct buf stats = file_content(p->stats);

	assert_int_equal(r.status, 0);
	assert_true(contains(&stats, "\"program\":\"obey\",\"state\":\"done\","
	    "\"records\":4,\"errors\":1,\"rejected\":0,"));
	buf_free(&stats);
	ran_free(&r);
	r = RUN(&obeys, NULL, &in, "--stats", p->stats, "-q", "-r",
	    p->rejects, "--max-rejects", "0", NULL);
	stats = file_content(p->stats);
	assert_int_equal(r.status, 1);
	assert_true(contains(&stats, "\"state\":\"failed\",\"records\":4,"
	    "\"errors\":0,\"rejected\":1,"));
	buf_free(&stats);
	ran_free(&r);
	buf_free(&in);
}

/* A program whose parts say in which order they are called. */
struct log {
	char *text;		/* shared with the child */
};

static int
log_start(void *self, struct stage_run *run, struct err *e)
{
	struct model *m = model_open("examples/demo/model", e);
	char n[16];
	int rc = -1;

	UNUSED(self);
	(void)snprintf(n, sizeof n, "%u", stage_threads(run));
	if (stage_option(run, "speed", "\"high\"", e) < 0 ||
	    stage_library(run, "libfast", "1.2", e) < 0 ||
	    stage_input(run, "in.json", e) < 0)
		goto out;
	if (m == NULL || model_features(m, e) == NULL ||
	    stage_model(run, m, e) < 0)
		goto out;
	rc = 0;
	stage_warn(run, "%s threads, strict %d, %zu operands, %s", n,
	    stage_strict(run), stage_operands(run), stage_operand(run, 0));
out:
	model_free(m);
	return rc;
}

static void *
log_own(void *self, struct err *e)
{
	UNUSED(self);
	UNUSED(e);
	return malloc(1);
}

static int
log_batch(void *self, void *own, const void *p, size_t n, struct outlet *o,
    struct err *e)
{
	struct record *r = record_new(e);
	int rc = -1;

	UNUSED(self);
	assert_non_null(own);
	if (r == NULL)
		return -1;
	if (record_set(r, RECORD_DATA, p, n - 1, e) == 0)
		rc = outlet_put(o, r, e);
	record_free(r);
	return rc;
}

static bool
feeds_with_operands(const void *self, const struct stage_run *run)
{
	UNUSED(self);
	return stage_operands(run) > 0;
}

static const struct stage logs = {
	.name = "logs", .about = "tests", .operands = "[FILE...]",
	.options = no_options, .start = log_start, .own_new = log_own,
	.own_free = free, .each = pass, .feed = given_feed,
	.batch = log_batch, .feeds = feeds_with_operands,
};

static void
a_source_feeds_batches_and_describes_itself(void **state)
{
	struct given g = { "[1]\n[2]\n[3]\n", 1 };
	struct buf none = { 0 };
	struct ran r = RUN(&logs, &g, &none, "-j", "3", "--strict", "a", "b",
	    NULL);
	struct seen s = see(&r.out);

	UNUSED(state);
	assert_int_equal(r.status, 0);
	text_is(&r.err,
	    "logs: warning: 3 threads, strict 1, 2 operands, a\n");
	text_is(&s.text, "{\"data\":[1]}\n{\"data\":[2]}\n{\"data\":[3]}\n");
	assert_string_equal(s.shape, "1 1 1 ");
	assert_true(contains(&s.chain, "\"libfast\":\"1.2\""));
	assert_true(contains(&s.chain, "\"speed\":\"high\""));
	assert_true(contains(&s.chain, "\"strict\":true"));
	assert_true(contains(&s.chain, "\"inputs\":[\"in.json\"]"));
	/* What was read of it, and no other file. */
	assert_true(contains(&s.chain, "\"model\":{"
	    "\"preprocessor_config.json\":\"e1148675e275dd9c596bb36697f1b14f"
	    "971e40c20baab9d39e286a8e5e156a6c\",\"processor_config.json\":"));
	seen_free(&s);
	ran_free(&r);
}

static int
broken_feed(void *self, struct stage_run *run, struct err *e)
{
	if (given_feed(self, run, e) < 0)
		return -1;
	(void)err_set(e, ERR_DAMAGED, "data.json:4:7: the array is broken");
	return err_hint(e, "mend it");
}

static void
a_sources_fault_comes_after_what_was_before_it(void **state)
{
	struct stage source = STAGE("given", obey, .feed = broken_feed);
	struct given g = { "{\"data\":{\"bad\":1}}\n{\"data\":{}}\n", 1 };
	struct buf none = { 0 };
	struct ran r = RUN(&source, &g, &none, NULL);
	struct seen s = see(&r.out);

	UNUSED(state);
	assert_int_equal(r.status, 3);
	text_is(&r.err, "given: error: 2 <audio> tags but 1 entry "
	    "[audio-count]\n  hint: add one\n"
	    "given: error: data.json:4:7: the array is broken\n"
	    "  hint: mend it\n");
	assert_string_equal(s.shape, "1 1 ");
	assert_int_equal(s.rc, -1);
	seen_free(&s);
	ran_free(&r);
}

static int
no_start(void *self, struct stage_run *run, struct err *e)
{
	UNUSED(self);
	UNUSED(run);
	return err_set(e, ERR_MODEL, "there is no model");
}

static void *
no_own(void *self, struct err *e)
{
	UNUSED(self);
	(void)err_set(e, ERR_SYSTEM, "no worker");
	return NULL;
}

static void
a_program_that_cannot_begin_writes_nothing(void **state)
{
	const struct place *p = *state;
	struct stage a = STAGE("given", pass, .start = no_start);
	struct stage b = STAGE("given", pass, .own_new = no_own);
	struct buf in = stream_with(1, 1, NULL);
	struct ran r = RUN(&a, NULL, &in, "-o", p->shard, NULL);

	assert_int_equal(r.status, 3);
	text_is(&r.err, "given: error: there is no model\n");
	assert_false(exists(p->shard));
	ran_free(&r);
	r = RUN(&b, NULL, &in, "-o", p->shard, NULL);
	assert_int_equal(r.status, 3);
	text_is(&r.err, "given: error: no worker\n");
	assert_false(exists(p->shard));
	ran_free(&r);
	buf_free(&in);
}

#define IN_PLACE(test) \
	cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(rejects_are_taken_out_to_their_file),
		IN_PLACE(
		    rejects_of_the_programs_before_count_and_are_handed_on),
		IN_PLACE(too_many_rejects_publish_nothing_but_the_rejects),
		IN_PLACE(a_program_that_packs_takes_no_errored_record),
		IN_PLACE(
		    a_failed_run_leaves_the_old_shard_and_writes_the_rejects),
		IN_PLACE(a_shard_says_how_long_its_records_are),
		cmocka_unit_test(
		    a_record_too_long_for_a_frame_goes_on_without_what_is_long),
		cmocka_unit_test(nobody_to_read_ends_it_as_sigpipe_does),
		cmocka_unit_test(a_run_that_has_failed_does_not_wait_for_input),
		IN_PLACE(stats_say_how_it_ended),
		cmocka_unit_test(a_source_feeds_batches_and_describes_itself),
		cmocka_unit_test(
		    a_sources_fault_comes_after_what_was_before_it),
		IN_PLACE(a_program_that_cannot_begin_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
