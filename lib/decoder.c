#ifdef __linux__
#define _GNU_SOURCE	/* MAP_ANONYMOUS */
#endif
#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audio.h"
#include "buf.h"
#include "decoder.h"
#include "fdpass.h"
#include "forkserver.h"
#include "sandbox.h"

#define PAGE ((size_t)65536)	/* a multiple of any system's page */

/* A process that is not in its sandbox after so long will never be. */
#define START_MS 30000

/*
 * What a worker and we share, at the start of its memory; samples are behind
 * it.  The memory was mapped before the first fork and has no descriptor, so
 * nobody can take it away from under us.
 */
struct answer {
	volatile uint64_t progress;
	struct err err;		/* ERR_NONE: the facts stand */
	struct clip_facts facts;
};

struct decoder {
	struct decoder_rules rules;
	unsigned walls;
	unsigned workers, made;
	size_t each;		/* bytes of memory shared with a worker */
	unsigned char *shared;
	struct forkserver *server;
};

struct decoder_worker {
	struct decoder *d;
	unsigned number;
	int sock;		/* -1: no process */
	pid_t pid;
	struct answer *answer;
	const unsigned char *samples;
};

/* The memory of worker NUMBER. */
static unsigned char *
shared(const struct decoder *d, unsigned number)
{
	return d->shared + number * d->each;
}

/* N bytes, filled up to whole pages. */
static size_t
pages(size_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

/* Where the samples are in the MEMORY of a worker. */
static unsigned char *
samples_of(unsigned char *memory)
{
	return memory + pages(sizeof(struct answer));
}

/* A worker's life, in its own process: decode until nobody asks any more. */
static void
child(void *self, unsigned number, int sock)
{
	const struct decoder *d = self;
	struct sandbox s = { .walls = d->walls, .sock = sock,
	    .memory_max = d->rules.memory_max + d->each };
	unsigned char *memory = shared(d, number);
	struct answer *a = (struct answer *)(void *)memory;
	struct clip_work *w;
	char byte = 0;
	int fd = -1;

	/* The others' memory is not ours to see. */
	for (unsigned i = 0; i < d->workers; i++)
		if (i != number)
			(void)munmap(shared(d, i), d->each);
	a->err = (struct err){ 0 };
	w = clip_work_new(&d->rules.clip, &a->err);
	if (w != NULL && sandbox_enter(&s, &a->err) < 0)
		_exit(1);
	while (w != NULL && fdpass_send(sock, -1, &byte, 1) == 0 &&
	    fdpass_receive(sock, &fd, &byte, 1) == 1 && fd >= 0) {
		a->err = (struct err){ 0 };
		if (clip_decode(w, fd, samples_of(memory), &a->facts,
		    &a->progress, &a->err) < 0 && a->err.kind == ERR_NONE)
			break;
		(void)close(fd);
	}
	clip_work_free(w);
}

/* Take what walls there are; all, where all are required. */
static int
choose_walls(struct decoder *d, struct err *e)
{
	if (d->rules.sandbox == DECODER_OFF)
		return 0;
	d->walls = sandbox_available();
	if (d->rules.sandbox == DECODER_AUTO || d->walls == SANDBOX_ALL)
		return 0;
	(void)err_set(e, ERR_SYSTEM,
	    "the sandbox cannot be had in full: no %s",
	    sandbox_wall_name(SANDBOX_ALL & ~d->walls));
	return err_hint(e, "--sandbox=auto makes do with what there is");
}

struct decoder *
decoder_new(const struct decoder_rules *rules, unsigned workers,
    struct err *e)
{
	struct decoder *d = calloc(1, sizeof *d);

	if (d == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	d->rules = *rules;
	d->workers = workers;
	d->each = pages(sizeof(struct answer)) +
	    pages(rules->clip.keep * sizeof(float));
	d->shared = MAP_FAILED;
	if (choose_walls(d, e) < 0)
		goto fail;
	d->shared = mmap(NULL, d->each * workers, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (d->shared == MAP_FAILED) {
		(void)err_errno(e, "cannot share memory");
		goto fail;
	}
	d->server = forkserver_new(child, d, e);
	if (d->server == NULL)
		goto fail;
	return d;
fail:
	decoder_free(d);
	return NULL;
}

void
decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	forkserver_free(d->server);
	if (d->shared != MAP_FAILED)
		(void)munmap(d->shared, d->each * d->workers);
	free(d);
}

unsigned
decoder_missing(const struct decoder *d)
{
	return d->rules.sandbox == DECODER_OFF ? 0 :
	    sandbox_expected() & ~d->walls;
}

struct decoder_worker *
decoder_worker_new(struct decoder *d, struct err *e)
{
	struct decoder_worker *w;

	if (d->made == d->workers) {
		(void)err_set(e, ERR_SYSTEM, "there are only %u decoders",
		    d->workers);
		return NULL;
	}
	w = calloc(1, sizeof *w);
	if (w == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	w->d = d;
	w->number = d->made++;
	w->sock = -1;
	w->answer = (struct answer *)(void *)shared(d, w->number);
	w->samples = samples_of(shared(d, w->number));
	return w;
}

/* End the process of W; how it ended to *STATUS. */
static int
end(struct decoder_worker *w, int *status, struct err *e)
{
	(void)close(w->sock);
	w->sock = -1;
	return forkserver_end(w->d->server, w->pid, status, e);
}

void
decoder_worker_free(struct decoder_worker *w)
{
	struct err ignored;
	int status;

	if (w == NULL)
		return;
	if (w->sock >= 0)
		(void)end(w, &status, &ignored);
	free(w);
}

/* Whether W, which was started, has something to say before START_MS. */
static bool
can_be_heard(const struct decoder_worker *w)
{
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	int rc;

	do
		rc = poll(&p, 1, START_MS);
	while (rc < 0 && errno == EINTR);
	return rc > 0;
}

/* Start the process of W, and wait until it is in its sandbox. */
static int
start(struct decoder_worker *w, struct err *e)
{
	char byte, text[ERR_QUOTE_SIZE];
	struct err ignored;
	int status;

	if (forkserver_spawn(w->d->server, w->number, &w->sock, &w->pid,
	    e) < 0)
		return -1;
	/*
	 * libseccomp goes round for ever where it gets no memory.  And from
	 * now on a worker that does not listen must not hold us up.
	 */
	if (can_be_heard(w) && fdpass_receive(w->sock, NULL, &byte, 1) == 1 &&
	    fcntl(w->sock, F_SETFL, O_NONBLOCK) == 0)
		return 0;
	(void)end(w, &status, &ignored);
	w->answer->err.text[ERR_TEXT_MAX - 1] = '\0';
	return err_set(e, ERR_SYSTEM, "cannot start a decoder: %s",
	    w->answer->err.text[0] == '\0' ? "it was lost" :
	    err_quote(text, sizeof text, w->answer->err.text,
	    strlen(w->answer->err.text)));
}

/* Seconds on CLOCK. */
static double
seconds(clockid_t clock)
{
	struct timespec t = { 0 };

	(void)clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Processor time of the process PID; where that is not told, real time. */
static double
cpu_of(pid_t pid)
{
#if defined(_POSIX_CPUTIME) && _POSIX_CPUTIME >= 0
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) == 0)
		return seconds(clock);
#endif
	(void)pid;
	return seconds(CLOCK_MONOTONIC);
}

/* How far a worker was when it was last looked at. */
struct watch {
	uint64_t progress;
	double start;		/* processor time, when first looked at */
	double cpu;		/* the same when there was progress last */
	double seen, now;	/* the same, and the time, when it last rose */
};

/* Whether W has had its time; why, in WHY of SIZE bytes. */
static bool
is_over(const struct decoder_worker *w, struct watch *t, bool first,
    char *why, size_t size)
{
	const struct decoder_rules *r = &w->d->rules;
	uint64_t progress = w->answer->progress;
	double cpu = cpu_of(w->pid), now = seconds(CLOCK_MONOTONIC);

	if (first)
		t->start = cpu;
	if (first || progress != t->progress) {
		t->progress = progress;
		t->cpu = cpu;
		t->seen = 0;
	}
	if (cpu > t->seen) {
		t->seen = cpu;
		t->now = now;
	}
	if (cpu - t->start > r->cpu_s)
		(void)snprintf(why, size, "it took more than %g s", r->cpu_s);
	else if (cpu - t->cpu > r->stall_s)
		(void)snprintf(why, size, "it made no progress in %g s",
		    r->stall_s);
	else if (now - t->now > r->idle_s)
		(void)snprintf(why, size, "it did nothing for %g s",
		    r->idle_s);
	else
		return false;
	return true;
}

/* Wait for W's answer: 1 when it is there, 0 when W is gone or has to go. */
static int
await(struct decoder_worker *w, char *why, size_t size)
{
	const struct decoder_rules *r = &w->d->rules;
	double least = r->stall_s < r->idle_s ? r->stall_s : r->idle_s;
	int ms = least > 2 ? 500 : (int)(least * 250) + 1;
	struct pollfd p = { .fd = w->sock, .events = POLLIN };
	struct watch t = { 0 };
	bool first = true;
	char byte;

	for (;;) {
		int n = poll(&p, 1, ms);

		if (n > 0)
			return fdpass_receive(w->sock, NULL, &byte, 1) == 1;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return 0;
		if (n == 0 && is_over(w, &t, first, why, size))
			return 0;
		first = first && n != 0;
	}
}

/* Whether W waits to be asked. */
static bool
is_quiet(const struct decoder_worker *w)
{
	struct pollfd p = { .fd = w->sock, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/* W is gone, or has to go: end it, and tell why (WHY, where it is known). */
static int
lost(struct decoder_worker *w, const char *why, struct err *e)
{
	char text[64];
	int status, sig;

	if (end(w, &status, e) < 0)
		return -1;
	sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	if (why[0] == '\0') {
		why = text;
		(void)snprintf(text, sizeof text, sig == SIGSYS ?
		    "it tried what it may not do" :
		    sig == SIGKILL ? "it was killed" :
		    sig != 0 ? "it crashed with signal %d" :
		    "it ended without an answer", sig);
	}
	(void)err_record(e, CODE_AUDIO_DECODER, "the decoder was lost: %s",
	    why);
	return err_hint(e, "convert the file with another tool");
}

/* Copy TEXT, of SIZE bytes, keeping what is ASCII that can be read. */
static void
copy_text(char *to, const char *text, size_t size)
{
	size_t i = 0;

	for (; i < size - 1; i++) {
		char c = text[i];

		if (c == '\0')
			break;
		to[i] = c >= 0x20 && c < 0x7f ? c : '?';
	}
	to[i] = '\0';
}

/* What W says is wrong with the file. */
static int
pass_on(struct decoder_worker *w, const struct err *said, struct err *e)
{
	char text[ERR_TEXT_MAX], hint[ERR_HINT_MAX];
	int status;

	copy_text(text, said->text, sizeof text);
	copy_text(hint, said->hint, sizeof hint);
	if (said->kind == ERR_RECORD && said->code >= CODE_AUDIO_MISSING &&
	    said->code <= CODE_AUDIO_NONFINITE) {
		(void)err_record(e, said->code, "%s", text);
		return err_hint(e, "%s", hint);
	}
	/* Memory that failed once may be in pieces, or held by a leak. */
	if (end(w, &status, e) < 0)
		return -1;
	if (said->kind == ERR_MEMORY)
		(void)err_record(e, CODE_AUDIO_DECODER, "the decoder ran out "
		    "of its %llu MiB of memory", (unsigned long long)
		    (w->d->rules.memory_max >> 20));
	else
		(void)err_record(e, CODE_AUDIO_DECODER,
		    "the decoder failed: %s", text);
	return err_hint(e, "convert the file with another tool");
}

/* Whether facts that a worker tells can be true. */
static bool
plausible(const struct decoder *d, const struct clip_facts *f)
{
	const struct clip_rules *r = &d->rules.clip;
	uint64_t most = f->samples < r->keep ? f->samples : r->keep;

	return audio_format_name(f->format) != NULL &&
	    audio_subtype_name(f->format) != NULL &&
	    f->rate_hz >= 1 && f->rate_hz <= AUDIO_RATE_MAX &&
	    f->channels >= 1 && f->channels <= AUDIO_CHANNELS_MAX &&
	    f->samples_in >= 1 && f->samples_in <= (uint64_t)1 << 48 &&
	    f->samples == resample_length(r->resample, f->samples_in,
	    f->rate_hz) && f->kept == most &&
	    f->clipped <= f->samples_in * f->channels &&
	    isfinite(f->peak) && f->peak >= 0 && isfinite(f->rms) &&
	    f->rms >= 0 && isfinite(f->dc) &&
	    f->constant <= 1 && f->i16 <= 1;
}

/*
 * Whether the samples in PCM are all finite, as f32 have to be.  In runs of
 * a fixed length, for the compiler; the last is filled up with zeros.
 */
static bool
all_finite(const struct buf *pcm)
{
	uint32_t bits[256], bad = 0;

	for (size_t i = 0; i < pcm->n; i += sizeof bits) {
		size_t n = pcm->n - i < sizeof bits ? pcm->n - i : sizeof bits;

		if (n < sizeof bits)
			memset(bits, 0, sizeof bits);
		memcpy(bits, pcm->p + i, n);
		for (size_t k = 0; k < 256; k++)
			bad |= (bits[k] & 0x7f800000) == 0x7f800000;
	}
	return bad == 0;
}

/*
 * Take W's answer.  It is copied before it is looked at: a worker that has
 * been taken over could change it in between.
 */
static int
take(struct decoder_worker *w, struct buf *pcm, struct clip_facts *facts,
    struct err *e)
{
	struct err said;

	memcpy(&said, &w->answer->err, sizeof said);
	memcpy(facts, &w->answer->facts, sizeof *facts);
	if (said.kind != ERR_NONE)
		return pass_on(w, &said, e);
	if (!plausible(w->d, facts))
		return lost(w, "its answer makes no sense", e);
	if (buf_put(pcm, w->samples, (size_t)facts->kept *
	    (facts->i16 ? sizeof(int16_t) : sizeof(float)), e) < 0)
		return -1;
	if (!facts->i16 && !all_finite(pcm))
		return lost(w, "its answer makes no sense", e);
	return 0;
}

int
decoder_read(struct decoder_worker *w, int fd, struct buf *pcm,
    struct clip_facts *facts, struct err *e)
{
	char why[64] = "", byte = 0;
	int status;

	buf_clear(pcm);
	/* One that speaks unasked, or died idle, is no longer of use. */
	if (w->sock >= 0 && !is_quiet(w) && end(w, &status, e) < 0)
		return -1;
	if (w->sock < 0 && start(w, e) < 0)
		return -1;
	w->answer->progress = 0;
	if (fdpass_send(w->sock, fd, &byte, 1) < 0 ||
	    await(w, why, sizeof why) != 1)
		return lost(w, why, e);
	return take(w, pcm, facts, e);
}
