/*
 * bench_features TYPE LEVEL STREAM OUT: the least that melspec does with
 * STREAM, a file of records with samples: read each frame, verify it, compute
 * its mel of TYPE (f32, f16, bf16), compress the frame that this becomes at
 * LEVEL, and write it to OUT.
 *
 * Prints how many frames there were, and the milliseconds of CPU that reading,
 * the kernel, compressing and writing took, as JSON.  Finding the frames, and
 * the samples in them, is not counted.
 */
#include <sys/types.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "checksum.h"
#include "file.h"
#include "mel.h"
#include "record.h"
#include "stream.h"

enum part { READ, KERNEL, COMPRESS, WRITE, PARTS };

static const char *const part_names[] = {
	"read", "kernel", "compress", "write",
};

struct job {
	enum dtype type;
	int level, in, out;
	struct mel_plan *plan;
	struct mel_work *work;
	struct frame_codec *codec;
	struct checksum *sum;
	struct stream_reader *reader;
	struct record *record;
	struct buf plain, again, image, packed;
	unsigned long long frames, audios;
	double ms[PARTS];
};

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Read F of the file once more, by itself: bytes and checksum.  A stored
 * frame needs no more; any other is expanded. */
static int
read_again(struct job *j, struct frame *f, struct err *e)
{
	double from;

	buf_clear(&j->again);
	if (buf_reserve(&j->again, f->size, e) < 0)
		return -1;
	from = now_ms();
	if (pread(j->in, j->again.p, f->size, (off_t)f->offset) !=
	    (ssize_t)f->size)
		return err_set(e, ERR_SYSTEM, "the file has changed");
	if (f->stored) {
		checksum_reset(j->sum);
		checksum_update(j->sum, j->again.p, f->size);
	} else {
		buf_clear(&j->plain);
		if (frame_expand(j->codec, f, &j->plain, e) < 0)
			return -1;
	}
	j->ms[READ] += now_ms() - from;
	return 0;
}

/* The mel of the samples PCM, behind what j->image holds. */
static int
featurise(struct job *j, const struct tensor *pcm, struct err *e)
{
	size_t n = mel_plan_mels(j->plan) * mel_columns(pcm->shape[0]) *
	    dtype_size(j->type);
	double from;
	float pad;

	if (buf_reserve(&j->image, n, e) < 0)
		return -1;
	from = now_ms();
	mel_compute(j->plan, j->work, pcm->dtype, pcm->data, pcm->shape[0],
	    j->type, j->image.p + j->image.n, &pad);
	j->ms[KERNEL] += now_ms() - from;
	j->image.n += n;
	j->audios++;
	return 0;
}

/* Everything that the frame F asks for. */
static int
treat(struct job *j, struct frame *f, struct err *e)
{
	const struct tensor *pcm;
	double from;
	char name[32];

	buf_clear(&j->plain);
	if (frame_expand(j->codec, f, &j->plain, e) < 0 ||
	    record_parse_image(j->record, j->plain.p, j->plain.n, e) < 0 ||
	    read_again(j, f, e) < 0)
		return -1;
	buf_clear(&j->image);
	if (record_put_json(j->record, &j->image, e) < 0)
		return -1;
	/* The cells begin where those of a safetensors image do. */
	while (j->image.n % 8 != 0)
		if (buf_putc(&j->image, ' ', e) < 0)
			return -1;
	for (unsigned k = 0; ; k++) {
		(void)snprintf(name, sizeof name, "pcm.%u", k);
		if ((pcm = record_tensor(j->record, name)) == NULL)
			break;
		if (featurise(j, pcm, e) < 0)
			return -1;
	}
	buf_clear(&j->packed);
	from = now_ms();
	if (frame_compress(j->codec, j->level, j->image.p, j->image.n,
	    &j->packed, e) < 0)
		return -1;
	j->ms[COMPRESS] += now_ms() - from;
	from = now_ms();
	if (file_write(j->out, j->packed.p, j->packed.n, e) < 0)
		return -1;
	j->ms[WRITE] += now_ms() - from;
	j->frames++;
	return 0;
}

static int
run(struct job *j, struct err *e)
{
	struct frame f = { 0 };
	enum stream_event event;
	int rc;

	while ((rc = stream_read(j->reader, &event, &f, e)) == 0 &&
	    event != STREAM_ENDED)
		if (event == STREAM_DATA && treat(j, &f, e) < 0)
			return -1;
	buf_free(&f.raw);
	return rc;
}

static int
start(struct job *j, char *argv[], struct err *e)
{
	j->type = strcmp(argv[1], "bf16") == 0 ? DTYPE_BF16 :
	    strcmp(argv[1], "f16") == 0 ? DTYPE_F16 : DTYPE_F32;
	j->level = atoi(argv[2]);
	j->in = open(argv[3], O_RDONLY);
	j->out = open(argv[4], O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (j->in < 0 || j->out < 0)
		return err_errno(e, "%s, %s", argv[3], argv[4]);
	if ((j->plan = mel_plan_new(128, e)) == NULL ||
	    (j->work = mel_work_new(e)) == NULL ||
	    (j->codec = frame_codec_new(e)) == NULL ||
	    (j->sum = checksum_new(e)) == NULL ||
	    (j->record = record_new(e)) == NULL ||
	    (j->reader = stream_reader_new(j->in, FRAME_PLAIN_MAX, false,
	    e)) == NULL)
		return -1;
	return 0;
}

int
main(int argc, char *argv[])
{
	static struct job j;
	struct err e = { 0 };

	if (argc != 5) {
		(void)fputs("usage: bench_features TYPE LEVEL STREAM OUT\n",
		    stderr);
		return 2;
	}
	if (start(&j, argv, &e) < 0 || run(&j, &e) < 0) {
		(void)fprintf(stderr, "bench_features: %s\n", e.text);
		return 3;
	}
	(void)printf("{\"frames\": %llu, \"audios\": %llu", j.frames,
	    j.audios);
	for (int i = 0; i < PARTS; i++)
		(void)printf(", \"%s\": %.3f", part_names[i], j.ms[i]);
	(void)printf("}\n");
	return 0;
}
