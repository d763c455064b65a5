/*
 * Decoder: whatever a worker does costs one record, and is told.
 *
 * This program has its own clip.h, whose workers do what the file says, so
 * that they can misbehave: nothing in the library is there for that.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "unit.h"

#include "buf.h"
#include "decoder.h"
#include "sandbox.h"
#include "sounds.h"

struct clip_work {
	struct clip_rules rules;
};

struct clip_work *
clip_work_new(const struct clip_rules *rules, struct err *e)
{
	struct clip_work *w = malloc(sizeof *w);

	if (w == NULL)
		(void)err_memory(e);
	else
		w->rules = *rules;
	return w;
}

void
clip_work_free(struct clip_work *w)
{
	free(w);
}

/* An honest answer: three samples, as i16. */
static void
be_honest(void *out, struct clip_facts *f)
{
	static const int16_t pcm[] = { 1, -2, 3 };

	*f = (struct clip_facts){ .format = 0x10002, .rate_hz = 16000,
	    .channels = 1, .samples_in = 3, .samples = 3, .kept = 3,
	    .i16 = 1, .peak = 0.5, .rms = 0.25 };
	memcpy(out, pcm, sizeof pcm);
}

/* Take memory until there is none; nothing is given back. */
static int
eat_memory(struct err *e)
{
	for (size_t i = 0;; i++) {
		char *volatile p = malloc(1 << 20);	/* not left out */

		if (p == NULL)
			return err_memory(e);
		memset(p, (int)i, 1 << 20);
	}
}

/* Try a call that must fail with EACCES, or kill; 'o' told that it worked. */
static int
told(bool worked, struct err *e)
{
	return worked ? err_record(e, CODE_AUDIO_SILENT, "it worked") :
	    err_record(e, CODE_AUDIO_EMPTY, "refused: %s", strerror(errno));
}

/* Spin for SECONDS, with PROGRESS or without. */
static void
spin(double seconds, volatile uint64_t *progress)
{
	clock_t end = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);

	while (clock() < end)
		*progress += 1;
}

int
clip_decode(struct clip_work *w, int fd, void *out, struct clip_facts *f,
    volatile uint64_t *progress, struct err *e)
{
	volatile uint64_t ignored = 0;
	char text[64] = "";

	(void)w;
	if (pread(fd, text, sizeof text - 1, 0) < 0)
		return err_errno(e, "cannot read");
	be_honest(out, f);
	if (strcmp(text, "honest") == 0)
		return 0;
	if (strcmp(text, "fault") == 0) {
		(void)err_record(e, CODE_AUDIO_FORMAT, "bad \033[31m file");
		return err_hint(e, "mend\nit");
	}
	if (strcmp(text, "segv") == 0)
		return raise(SIGSEGV);
	if (strcmp(text, "abort") == 0)
		abort();
	if (strcmp(text, "exit") == 0)
		_exit(0);
	if (strcmp(text, "close") == 0) {
		for (int i = 0; i < 20; i++)
			(void)close(i);
		spin(60, &ignored);
	}
	if (strcmp(text, "memory") == 0)
		return eat_memory(e);
	if (strcmp(text, "loop") == 0)
		spin(60, &ignored);
	if (strcmp(text, "long") == 0)
		spin(60, progress);
	if (strcmp(text, "work") == 0)
		spin(0.6, progress);
	if (strcmp(text, "sleep") == 0)
		return (int)read(3, text, 1);
	if (strcmp(text, "system") == 0)
		return err_set(e, ERR_SYSTEM, "no luck");
	if (strcmp(text, "open") == 0)
		return told(open("/etc/passwd", O_RDONLY) >= 0, e);
	if (strcmp(text, "create") == 0)
		return told(open("/tmp/ossicle-x", O_CREAT | O_WRONLY,
		    0600) >= 0, e);
	if (strcmp(text, "proc") == 0)
		return told(open("/proc/self/mem", O_RDWR) >= 0, e);
	if (strcmp(text, "socket") == 0)
		return told(socket(AF_INET, SOCK_STREAM, 0) >= 0, e);
	if (strcmp(text, "unix") == 0)
		return told(socket(AF_UNIX, SOCK_STREAM, 0) >= 0, e);
	if (strcmp(text, "exec") == 0)
		return told(execl("/bin/true", "true", (char *)NULL) == 0, e);
	if (strcmp(text, "fork") == 0)
		return told(fork() >= 0, e);
	if (strcmp(text, "kill") == 0)
		return told(kill(getppid(), SIGTERM) == 0, e);
	if (strcmp(text, "code") == 0)
		return told(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE, fd, 0) != MAP_FAILED, e);
	if (strcmp(text, "unlink") == 0)
		return told(unlink("/tmp/ossicle-x") == 0, e);
	/* Lies about the facts. */
	if (strcmp(text, "kept") == 0)
		f->kept = (uint64_t)1 << 40;
	if (strcmp(text, "samples") == 0)
		f->samples_in = UINT64_MAX;
	if (strcmp(text, "format") == 0)
		f->format = -1;
	if (strcmp(text, "rate") == 0)
		f->rate_hz = 0;
	if (strcmp(text, "peak") == 0)
		f->peak = (double)NAN;
	if (strcmp(text, "i16") == 0)
		f->i16 = 7;
	if (strcmp(text, "nan") == 0) {
		static const float pcm[] = { 0, NAN, 0 };

		f->i16 = 0;
		memcpy(out, pcm, sizeof pcm);
	}
	if (strcmp(text, "code-of-others") == 0)
		return err_record(e, CODE_CUTOFF, "not mine");
	if (strcmp(text, "endless") == 0) {
		e->kind = ERR_RECORD;
		e->code = CODE_AUDIO_FORMAT;
		memset(e->text, 'x', sizeof e->text);
		memset(e->hint, 'y', sizeof e->hint);
		return -1;
	}
	if (strcmp(text, "chatter") == 0)
		for (int i = 0; i < 5; i++)
			if (write(3, "", 1) < 0)
				return -1;
	return 0;
}

static const struct decoder_rules rules = {
	.clip = { .max_s = 100, .keep = 1000 },
	.memory_max = (uint64_t)256 << 20,
	.stall_s = 0.5, .cpu_s = 2, .idle_s = 1,
};

static struct decoder *decoder;
static struct decoder_worker *worker;
static struct buf pcm;
static struct clip_facts facts;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	decoder = decoder_new(&rules, 3, &e);
	if (decoder != NULL)
		worker = decoder_worker_new(decoder, &e);
	return worker == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	decoder_worker_free(worker);
	decoder_worker_free(NULL);
	decoder_free(decoder);
	decoder_free(NULL);
	buf_free(&pcm);
	return 0;
}

/* Have W read a file that says TEXT. */
static int
ask(struct decoder_worker *w, const char *text)
{
	int fd = sound_fd(text, strlen(text)), rc;

	e = (struct err){ 0 };
	rc = decoder_read(w, fd, &pcm, &facts, &e);
	assert_int_equal(close(fd), 0);
	return rc;
}

/* The worker answers as it should. */
static void
works(struct decoder_worker *w)
{
	if (ask(w, "honest") < 0)
		fail_msg("%s", e.text);
	assert_int_equal(facts.kept, 3);
	assert_int_equal(pcm.n, 6);
	assert_memory_equal(pcm.p, "\1\0\376\377\3\0", 6);
}

/* TEXT costs its record, in words that have SAID in them, and no other. */
static void
costs(const char *text, const char *said)
{
	assert_int_equal(ask(worker, text), -1);
	assert_int_equal(e.kind, ERR_RECORD);
	if (e.code != CODE_AUDIO_DECODER || strstr(e.text, said) == NULL)
		fail_msg("%s: %s", text, e.text);
	assert_true(e.hint[0] != '\0');
	works(worker);
}

static void
an_honest_worker_is_believed(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		works(worker);
	assert_true(ask(worker, "work") == 0);
}

static void
a_fault_of_the_file_is_passed_on_without_control_characters(void **state)
{
	(void)state;
	assert_int_equal(ask(worker, "fault"), -1);
	assert_int_equal(e.kind, ERR_RECORD);
	assert_int_equal(e.code, CODE_AUDIO_FORMAT);
	assert_string_equal(e.text, "bad ?[31m file");
	assert_string_equal(e.hint, "mend?it");
	works(worker);
}

static void
a_worker_that_crashes_costs_one_record(void **state)
{
	(void)state;
	costs("segv", "signal 11");
	costs("abort", "signal 6");
	costs("exit", "without an answer");
	costs("close", "killed");
	costs("system", "no luck");
}

static void
a_worker_that_takes_too_long_costs_one_record(void **state)
{
	(void)state;
	costs("loop", "no progress in 0.5 s");
	costs("long", "more than 2 s");
	costs("sleep", "nothing for 1 s");
}

static void
a_worker_that_eats_memory_costs_one_record(void **state)
{
	(void)state;
	if (sandbox_available() & SANDBOX_LIMITS)
		costs("memory", "256 MiB");
}

/* A call that is forbidden kills, or fails; that it works is a fault. */
static void
nothing_but_the_file_is_in_reach(void **state)
{
	static const char *const killed[] = {
		"socket", "unix", "exec", "fork", "kill", "code", "unlink",
	};
	static const char *const refused[] = { "open", "create", "proc" };
	unsigned walls = sandbox_available();

	(void)state;
	for (size_t i = 0; i < 7 && (walls & SANDBOX_SECCOMP) != 0; i++)
		costs(killed[i], "may not do");
	for (size_t i = 0; i < 3 && (walls & SANDBOX_LANDLOCK) != 0; i++) {
		assert_int_equal(ask(worker, refused[i]), -1);
		assert_int_equal(e.code, CODE_AUDIO_EMPTY);
		assert_non_null(strstr(e.text, "refused: Permission denied"));
	}
	works(worker);
}

static void
lies_are_not_believed(void **state)
{
	static const char *const lies[] = {
		"kept", "samples", "format", "rate", "peak", "i16", "nan",
	};

	(void)state;
	for (size_t i = 0; i < 7; i++)
		costs(lies[i], "makes no sense");
	costs("code-of-others", "not mine");
	assert_int_equal(ask(worker, "endless"), -1);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_int_equal(strlen(e.hint), ERR_HINT_MAX - 1);
	works(worker);
}

/*
 * What it says early can be taken for the next answer, as all it says can be
 * a lie; but it holds nobody up, and is found out when it is not asked.
 */
static void
a_worker_that_speaks_unasked_is_replaced(void **state)
{
	struct timespec moment = { .tv_nsec = 20000000 };

	(void)state;
	for (int i = 0; i < 300; i++)
		if (ask(worker, "chatter") < 0)
			assert_int_equal(e.kind, ERR_RECORD);
	(void)nanosleep(&moment, NULL);
	works(worker);
	assert_int_equal(ask(worker, "fault"), -1);
	assert_int_equal(e.code, CODE_AUDIO_FORMAT);
}

static void
there_are_as_many_workers_as_agreed(void **state)
{
	struct decoder_worker *w[2];

	(void)state;
	w[0] = decoder_worker_new(decoder, &e);
	w[1] = decoder_worker_new(decoder, &e);
	assert_true(w[0] != NULL && w[1] != NULL);
	assert_null(decoder_worker_new(decoder, &e));
	works(w[0]);
	works(w[1]);
	assert_int_equal(ask(w[0], "segv"), -1);
	works(w[1]);
	works(w[0]);
	decoder_worker_free(w[0]);
	decoder_worker_free(w[1]);
	works(worker);
}

static void
without_a_sandbox_crashes_cost_no_more(void **state)
{
	struct decoder_rules open_rules = rules;
	struct decoder *d;
	struct decoder_worker *w;

	(void)state;
	open_rules.sandbox = DECODER_OFF;
	d = decoder_new(&open_rules, 1, &e);
	assert_non_null(d);
	assert_int_equal(decoder_missing(d), 0);
	w = decoder_worker_new(d, &e);
	assert_non_null(w);
	assert_int_equal(ask(w, "segv"), -1);
	assert_int_equal(e.code, CODE_AUDIO_DECODER);
	assert_int_equal(ask(w, "open"), -1);
	assert_string_equal(e.text, "it worked");
	works(w);
	decoder_worker_free(w);
	decoder_free(d);
}

static void
all_walls_can_be_required(void **state)
{
	struct decoder_rules strict = rules;
	struct decoder *d;

	(void)state;
	strict.sandbox = DECODER_REQUIRE;
	d = decoder_new(&strict, 1, &e);
	if (sandbox_available() == SANDBOX_ALL)
		assert_non_null(d);
	else {
		assert_null(d);
		assert_int_equal(e.kind, ERR_SYSTEM);
	}
	decoder_free(d);
	assert_int_equal(decoder_missing(decoder),
	    sandbox_expected() & ~sandbox_available());
}

/* Crash after crash leaves no process and no descriptor behind. */
static void
crashes_leave_nothing_behind(void **state)
{
	int before = dup(0), after;

	(void)state;
	assert_int_equal(close(before), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(ask(worker, "segv"), -1);
	works(worker);
	after = dup(0);
	assert_int_equal(after, before);
	assert_int_equal(close(after), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_worker_is_believed),
		cmocka_unit_test(
	    a_fault_of_the_file_is_passed_on_without_control_characters),
		cmocka_unit_test(a_worker_that_crashes_costs_one_record),
		cmocka_unit_test(a_worker_that_takes_too_long_costs_one_record),
		cmocka_unit_test(a_worker_that_eats_memory_costs_one_record),
		cmocka_unit_test(nothing_but_the_file_is_in_reach),
		cmocka_unit_test(lies_are_not_believed),
		cmocka_unit_test(a_worker_that_speaks_unasked_is_replaced),
		cmocka_unit_test(there_are_as_many_workers_as_agreed),
		cmocka_unit_test(without_a_sandbox_crashes_cost_no_more),
		cmocka_unit_test(all_walls_can_be_required),
		cmocka_unit_test(crashes_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
