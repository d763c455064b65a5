#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sndfile.h>

#include "audio.h"
#include "container.h"
#include "filebuf.h"

struct audio {
	struct filebuf file;
	uint64_t at;		/* where libsndfile reads next */
	SNDFILE *snd;
	struct audio_info info;
	uint64_t frames;	/* decoded so far */
};

struct name {
	int number;
	const char *name;
};

static const struct name formats[] = {
	{ SF_FORMAT_WAV, "WAV" }, { SF_FORMAT_AIFF, "AIFF" },
	{ SF_FORMAT_AU, "AU" }, { SF_FORMAT_RAW, "RAW" },
	{ SF_FORMAT_PAF, "PAF" }, { SF_FORMAT_SVX, "SVX" },
	{ SF_FORMAT_NIST, "NIST" }, { SF_FORMAT_VOC, "VOC" },
	{ SF_FORMAT_IRCAM, "IRCAM" }, { SF_FORMAT_W64, "W64" },
	{ SF_FORMAT_MAT4, "MAT4" }, { SF_FORMAT_MAT5, "MAT5" },
	{ SF_FORMAT_PVF, "PVF" }, { SF_FORMAT_XI, "XI" },
	{ SF_FORMAT_HTK, "HTK" }, { SF_FORMAT_SDS, "SDS" },
	{ SF_FORMAT_AVR, "AVR" }, { SF_FORMAT_WAVEX, "WAVEX" },
	{ SF_FORMAT_SD2, "SD2" }, { SF_FORMAT_FLAC, "FLAC" },
	{ SF_FORMAT_CAF, "CAF" }, { SF_FORMAT_WVE, "WVE" },
	{ SF_FORMAT_OGG, "OGG" }, { SF_FORMAT_MPC2K, "MPC2K" },
	{ SF_FORMAT_RF64, "RF64" }, { SF_FORMAT_MPEG, "MP3" },
};

static const struct name subtypes[] = {
	{ SF_FORMAT_PCM_S8, "PCM_S8" }, { SF_FORMAT_PCM_16, "PCM_16" },
	{ SF_FORMAT_PCM_24, "PCM_24" }, { SF_FORMAT_PCM_32, "PCM_32" },
	{ SF_FORMAT_PCM_U8, "PCM_U8" }, { SF_FORMAT_FLOAT, "FLOAT" },
	{ SF_FORMAT_DOUBLE, "DOUBLE" }, { SF_FORMAT_ULAW, "ULAW" },
	{ SF_FORMAT_ALAW, "ALAW" }, { SF_FORMAT_IMA_ADPCM, "IMA_ADPCM" },
	{ SF_FORMAT_MS_ADPCM, "MS_ADPCM" }, { SF_FORMAT_GSM610, "GSM610" },
	{ SF_FORMAT_VOX_ADPCM, "VOX_ADPCM" },
	{ SF_FORMAT_NMS_ADPCM_16, "NMS_ADPCM_16" },
	{ SF_FORMAT_NMS_ADPCM_24, "NMS_ADPCM_24" },
	{ SF_FORMAT_NMS_ADPCM_32, "NMS_ADPCM_32" },
	{ SF_FORMAT_G721_32, "G721_32" }, { SF_FORMAT_G723_24, "G723_24" },
	{ SF_FORMAT_G723_40, "G723_40" }, { SF_FORMAT_DWVW_12, "DWVW_12" },
	{ SF_FORMAT_DWVW_16, "DWVW_16" }, { SF_FORMAT_DWVW_24, "DWVW_24" },
	{ SF_FORMAT_DWVW_N, "DWVW_N" }, { SF_FORMAT_DPCM_8, "DPCM_8" },
	{ SF_FORMAT_DPCM_16, "DPCM_16" }, { SF_FORMAT_VORBIS, "VORBIS" },
	{ SF_FORMAT_OPUS, "OPUS" }, { SF_FORMAT_ALAC_16, "ALAC_16" },
	{ SF_FORMAT_ALAC_20, "ALAC_20" }, { SF_FORMAT_ALAC_24, "ALAC_24" },
	{ SF_FORMAT_ALAC_32, "ALAC_32" },
	{ SF_FORMAT_MPEG_LAYER_I, "MPEG_LAYER_I" },
	{ SF_FORMAT_MPEG_LAYER_II, "MPEG_LAYER_II" },
	{ SF_FORMAT_MPEG_LAYER_III, "MPEG_LAYER_III" },
};

/* The name of NUMBER among the N of V, or NULL. */
static const char *
find(const struct name *v, size_t n, int number)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].number == number)
			return v[i].name;
	return NULL;
}

const char *
audio_format_name(int format)
{
	return find(formats, sizeof formats / sizeof formats[0],
	    format & SF_FORMAT_TYPEMASK);
}

const char *
audio_subtype_name(int format)
{
	return find(subtypes, sizeof subtypes / sizeof subtypes[0],
	    format & SF_FORMAT_SUBMASK);
}

float
audio_full_scale(int format)
{
	int sub = format & SF_FORMAT_SUBMASK;

	if (sub == SF_FORMAT_PCM_S8 || sub == SF_FORMAT_PCM_U8 ||
	    sub == SF_FORMAT_DPCM_8)
		return 127 / 128.0f;
	return 32767 / 32768.0f;
}

const char *
audio_library_version(void)
{
	const char *version = sf_version_string();

	return strncmp(version, "libsndfile-", 11) == 0 ? version + 11 :
	    version;
}

struct audio *
audio_new(struct err *e)
{
	struct audio *a = calloc(1, sizeof *a);

	if (a == NULL)
		(void)err_memory(e);
	return a;
}

void
audio_free(struct audio *a)
{
	if (a == NULL)
		return;
	audio_close(a);
	filebuf_free(&a->file);
	free(a);
}

/* libsndfile's view of the file: its size, ... */
static sf_count_t
io_size(void *self)
{
	const struct audio *a = self;

	return (sf_count_t)a->file.size;
}

/* ... a place to go to, which may be behind the end, ... */
static sf_count_t
io_seek(sf_count_t offset, int whence, void *self)
{
	struct audio *a = self;
	sf_count_t from = whence == SEEK_CUR ? (sf_count_t)a->at :
	    whence == SEEK_END ? (sf_count_t)a->file.size : 0;

	if (offset < 0 ? from < -offset : offset > INT64_MAX - from)
		return -1;
	a->at = (uint64_t)(from + offset);
	return from + offset;
}

/* ... its bytes, ... */
static sf_count_t
io_read(void *p, sf_count_t n, void *self)
{
	struct audio *a = self;
	size_t got;

	if (n <= 0)
		return 0;
	got = filebuf_read(&a->file, a->at, p, (size_t)n);
	a->at += got;
	return (sf_count_t)got;
}

/* ... and where it stands.  It is never asked to write. */
static sf_count_t
io_tell(void *self)
{
	const struct audio *a = self;

	return (sf_count_t)a->at;
}

static sf_count_t
io_write(const void *p, sf_count_t n, void *self)
{
	(void)p;
	(void)n;
	(void)self;
	return 0;
}

/* A read of the file failed: it is as good as missing. */
static int
unreadable(const struct audio *a, struct err *e)
{
	(void)err_record(e, CODE_AUDIO_MISSING, "the file cannot be read: %s",
	    strerror(a->file.error));
	return err_hint(e, "look at the disk, or copy the file again");
}

/* libsndfile does not open the file, or goes no further in it. */
static int
refuse(const char *what, const char *why, struct err *e)
{
	char text[ERR_QUOTE_SIZE];
	size_t n;

	if (strstr(why, "malloc") != NULL)
		return err_memory(e);
	if (strstr(why, "SF_INFO struct incomplete") != NULL)
		why = "The header has no sampling rate";
	n = strlen(why);
	while (n > 0 && (why[n - 1] == '.' || why[n - 1] == '\n'))
		n--;
	(void)err_record(e, CODE_AUDIO_FORMAT, "%s: %s", what,
	    err_quote(text, sizeof text, why, n));
	return err_hint(e, "convert it to WAV or FLAC");
}

/*
 * Whether the samples of FORMAT are an i16 each, as they are in the file.
 * (16 bits of a coded format may be what its decoder makes of others.)
 */
static bool
is_i16(int format)
{
	int type = format & SF_FORMAT_TYPEMASK;

	return (format & SF_FORMAT_SUBMASK) == SF_FORMAT_PCM_16 &&
	    (type == SF_FORMAT_WAV || type == SF_FORMAT_WAVEX ||
	    type == SF_FORMAT_RF64 || type == SF_FORMAT_W64 ||
	    type == SF_FORMAT_AIFF || type == SF_FORMAT_AU ||
	    type == SF_FORMAT_CAF);
}

/* What is known of the file, if it can be used. */
static int
look(struct audio *a, const SF_INFO *sf, struct err *e)
{
	if (sf->channels < 1 || sf->channels > AUDIO_CHANNELS_MAX) {
		(void)err_record(e, CODE_AUDIO_FORMAT, "the header announces "
		    "%d channels", sf->channels);
		return err_hint(e, "1 to %d are possible",
		    AUDIO_CHANNELS_MAX);
	}
	if (sf->samplerate < 1 || sf->samplerate > AUDIO_RATE_MAX) {
		(void)err_record(e, CODE_AUDIO_FORMAT, "the header announces "
		    "%d samples a second", sf->samplerate);
		return err_hint(e, "1 to %d are possible", AUDIO_RATE_MAX);
	}
	a->info.format = sf->format;
	a->info.rate_hz = (uint32_t)sf->samplerate;
	a->info.channels = (uint32_t)sf->channels;
	a->info.i16 = is_i16(sf->format);
	a->info.announced = sf->frames > 0 && sf->frames < INT64_MAX ?
	    (uint64_t)sf->frames : 0;
	return 0;
}

int
audio_open(struct audio *a, int fd, struct audio_info *info, struct err *e)
{
	SF_VIRTUAL_IO io = { io_size, io_seek, io_read, io_write, io_tell };
	SF_INFO sf = { 0 };

	audio_close(a);
	if (filebuf_open(&a->file, fd, e) < 0)
		return -1;
	a->at = 0;
	a->frames = 0;
	if (a->file.size == 0) {
		(void)err_record(e, CODE_AUDIO_EMPTY, "the file is empty");
		return err_hint(e, "take the record out");
	}
	if (container_check(&a->file, e) < 0)
		return a->file.error != 0 ? unreadable(a, e) : -1;
	a->snd = sf_open_virtual(&io, SFM_READ, &sf, a);
	if (a->file.error != 0)
		return unreadable(a, e);
	if (a->snd == NULL)
		return refuse("libsndfile does not open it",
		    sf_strerror(NULL), e);
	if (look(a, &sf, e) < 0)
		return -1;
	*info = a->info;
	return 0;
}

/* The decoder has no more to give: see whether that is the end. */
static int
check_end(struct audio *a, struct err *e)
{
	int major = a->info.format & SF_FORMAT_TYPEMASK;

	if (a->file.error != 0)
		return unreadable(a, e);
	/* Of the others, libsndfile announces what is there, or guesses. */
	if (major == SF_FORMAT_FLAC && a->frames < a->info.announced) {
		(void)err_record(e, CODE_AUDIO_TRUNCATED, "the header "
		    "announces %" PRIu64 " samples, but decoding ends after %"
		    PRIu64, a->info.announced, a->frames);
		return err_hint(e, "copy the file again");
	}
	if (sf_error(a->snd) != SF_ERR_NO_ERROR) {
		char what[80];

		(void)snprintf(what, sizeof what, "decoding stops after %"
		    PRIu64 " samples", a->frames);
		return refuse(what, sf_strerror(a->snd), e);
	}
	return 0;
}

/* libsndfile has read GOT frames: *N of them. */
static int
account(struct audio *a, sf_count_t got, size_t *n, struct err *e)
{
	*n = got > 0 ? (size_t)got : 0;
	a->frames += *n;
	return *n == 0 ? check_end(a, e) : 0;
}

int
audio_read(struct audio *a, float *x, size_t max, size_t *n, struct err *e)
{
	return account(a, sf_readf_float(a->snd, x, (sf_count_t)max), n, e);
}

int
audio_read_i16(struct audio *a, int16_t *x, size_t max, size_t *n,
    struct err *e)
{
	return account(a, sf_readf_short(a->snd, x, (sf_count_t)max), n, e);
}

void
audio_close(struct audio *a)
{
	if (a->snd != NULL)
		(void)sf_close(a->snd);
	a->snd = NULL;
}
