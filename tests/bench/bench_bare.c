/*
 * bench_bare MODEL TYPE LEVEL FOLDER OUT <SHARD: the work of the whole pipe
 * without the pipe.  For each record of SHARD, which the pipe has made of
 * audio in FOLDER: decode by libsndfile alone, resample, mel of TYPE (f32,
 * f16, bf16), tokenise, compress the record's own frame again at LEVEL, and
 * write it to the file OUT.
 *
 * Prints the milliseconds of CPU of each of these, and how many records there
 * were, as JSON.  Reading SHARD, which only says what to do, is not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sndfile.h>

#include "content.h"
#include "encode.h"
#include "file.h"
#include "mel.h"
#include "mix.h"
#include "model.h"
#include "pair.h"
#include "record.h"
#include "resample.h"
#include "stream.h"
#include "template.h"

enum { BLOCK = 32768 };
enum part { DECODE, RESAMPLE, MEL, TOKENISE, COMPRESS, WRITE, PARTS };

static const char *const part_names[] = {
	"decode", "resample", "mel", "tokenise", "compress", "write",
};

struct job {
	const char *folder;
	enum dtype type;
	int level;
	struct resample *resample;
	struct mel_plan *plan;
	struct mel_work *mel;
	struct model *model;
	struct encoder encoder;
	struct encode_work work;
	struct frame_codec *codec;
	struct stream_reader *reader;
	struct file_new *file;
	struct record *record;
	struct pair pair;
	struct buf plain, out, path;
	double from, ms[PARTS];
	unsigned long long records;
	uint32_t lengths[RECORD_AUDIOS_MAX];
	float x[BLOCK], mono[BLOCK], pcm[MEL_SAMPLES_MAX];
	float cells[128 * MEL_COLUMNS_MAX];
};

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* What has passed since the last lap was spent on PART. */
static void
lap(struct job *j, enum part part)
{
	double now = now_ms();

	j->ms[part] += now - j->from;
	j->from = now;
}

/* Decode and resample the file at j->path to j->pcm: its samples, *N. */
static int
decode(struct job *j, size_t *n, struct err *e)
{
	SF_INFO info = { 0 };
	SNDFILE *f;
	sf_count_t got;
	uint64_t n_in = 0;

	j->from = now_ms();
	f = sf_open(j->path.p, SFM_READ, &info);
	if (f == NULL || info.channels > BLOCK)
		return err_set(e, ERR_SYSTEM, "%s: %s", j->path.p,
		    sf_strerror(f));
	lap(j, DECODE);
	if (resample_start(j->resample, (uint32_t)info.samplerate, j->pcm,
	    MEL_SAMPLES_MAX, e) < 0)
		return -1;
	lap(j, RESAMPLE);
	while ((got = sf_readf_float(f, j->x, BLOCK / info.channels)) > 0) {
		lap(j, DECODE);
		if (info.channels > 1)
			mix_numpy(j->x, (size_t)got, (unsigned)info.channels,
			    j->mono);
		n_in += (uint64_t)got;
		if (resample_push(j->resample, info.channels > 1 ? j->mono :
		    j->x, (size_t)got, e) < 0)
			return -1;
		lap(j, RESAMPLE);
	}
	(void)sf_close(f);
	lap(j, DECODE);
	if (resample_finish(j->resample, n_in, n, e) < 0)
		return -1;
	lap(j, RESAMPLE);
	return 0;
}

/* The features of the record's audio K, and its tokens to j->lengths. */
static int
featurise(struct job *j, size_t k, struct err *e)
{
	struct jsonspan name = jsonscan_at(record_get(j->record,
	    RECORD_AUDIOS), k);
	size_t n;
	float pad;

	buf_clear(&j->path);
	if (buf_puts(&j->path, j->folder, e) < 0 ||
	    buf_putc(&j->path, '/', e) < 0 ||
	    jsonscan_string(name, &j->path, e) < 0 ||
	    buf_putc(&j->path, '\0', e) < 0 || decode(j, &n, e) < 0)
		return -1;
	mel_compute(j->plan, j->mel, DTYPE_F32, j->pcm, n, j->type, j->cells,
	    &pad);
	lap(j, MEL);
	j->lengths[k] = mel_tokens(mel_frames(n));
	return 0;
}

/* All of it for the record in j->record, whose frame holds j->plain. */
static int
treat(struct job *j, struct err *e)
{
	size_t n = jsonscan_count(record_get(j->record, RECORD_AUDIOS));

	if (n > RECORD_AUDIOS_MAX)
		return err_set(e, ERR_DAMAGED, "a record of %zu audios", n);
	for (size_t k = 0; k < n; k++)
		if (featurise(j, k, e) < 0)
			return -1;
	if (pair_read(&j->pair, j->record, e) < 0)
		return -1;
	j->from = now_ms();
	if (encode_pair(&j->encoder, &j->work, &j->pair, j->lengths, n, e) < 0)
		return -1;
	lap(j, TOKENISE);
	buf_clear(&j->out);
	if (frame_compress(j->codec, j->level, j->plain.p, j->plain.n,
	    &j->out, e) < 0)
		return -1;
	lap(j, COMPRESS);
	if (file_write(file_new_fd(j->file), j->out.p, j->out.n, e) < 0)
		return -1;
	lap(j, WRITE);
	j->records++;
	return 0;
}

/* Treat every record of the shard. */
static int
run(struct job *j, struct err *e)
{
	struct frame frame = { 0 };
	enum stream_event event;
	struct content_record r;
	int rc;

	while ((rc = stream_read(j->reader, &event, &frame, e)) == 0 &&
	    event != STREAM_ENDED) {
		struct content c = { 0 };

		if (event != STREAM_DATA)
			continue;
		buf_clear(&j->plain);
		if (frame_expand(j->codec, &frame, &j->plain, e) < 0)
			return -1;
		c.p = j->plain.p;
		c.n = j->plain.n;
		while (content_next(&c, &r))
			if ((r.image ? record_parse_image(j->record, r.p, r.n,
			    e) : record_parse(j->record, r.p, r.n, e)) < 0 ||
			    treat(j, e) < 0)
				return -1;
	}
	buf_free(&frame.raw);
	return rc;
}

static int
start(struct job *j, char *argv[], struct err *e)
{
	const struct bpe *bpe;
	const struct model_tokens *tokens;

	j->type = strcmp(argv[2], "bf16") == 0 ? DTYPE_BF16 :
	    strcmp(argv[2], "f16") == 0 ? DTYPE_F16 : DTYPE_F32;
	j->level = atoi(argv[3]);
	j->folder = argv[4];
	if ((j->model = model_open(argv[1], e)) == NULL ||
	    (bpe = model_tokenizer(j->model, e)) == NULL ||
	    (tokens = model_tokens(j->model, e)) == NULL ||
	    encode_open(&j->encoder, template_find("qwen2_audio"), bpe,
	    tokens, NULL, false, e) < 0 ||
	    encode_begin(&j->work, &j->encoder, e) < 0 ||
	    (j->resample = resample_new(RESAMPLE_SOXR, e)) == NULL ||
	    (j->plan = mel_plan_new(128, e)) == NULL ||
	    (j->mel = mel_work_new(e)) == NULL ||
	    (j->codec = frame_codec_new(e)) == NULL ||
	    (j->record = record_new(e)) == NULL ||
	    (j->reader = stream_reader_new(0, FRAME_PLAIN_MAX, false,
	    e)) == NULL || (j->file = file_new_open(argv[5], e)) == NULL)
		return -1;
	return 0;
}

int
main(int argc, char *argv[])
{
	static struct job j;
	struct err e = { 0 };

	if (argc != 6) {
		(void)fputs("usage: bench_bare MODEL TYPE LEVEL FOLDER OUT "
		    "<SHARD\n", stderr);
		return 2;
	}
	if (start(&j, argv, &e) < 0 || run(&j, &e) < 0) {
		(void)fprintf(stderr, "bench_bare: %s\n", e.text);
		return 3;
	}
	j.from = now_ms();
	if (file_new_publish(j.file, &e) < 0)
		return 3;
	lap(&j, WRITE);
	(void)printf("{\"records\": %llu", j.records);
	for (int i = 0; i < PARTS; i++)
		(void)printf(", \"%s\": %.3f", part_names[i], j.ms[i]);
	(void)printf("}\n");
	return 0;
}
