/*
 * The small files of a model directory from strangers, one behind the other
 * with a NUL between: preprocessor_config.json, tokenizer_config.json,
 * processor_config.json.  One that is empty is not there; the tokenizer is
 * the demo's.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {
	"preprocessor_config.json", "tokenizer_config.json",
	"processor_config.json",
};
#define NAMES (sizeof names / sizeof names[0])

static char dir[] = "/tmp/ossicle-fuzz-XXXXXX";

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

/* Take the directory away again. */
static void
clean_up(void)
{
	char path[128];

	for (size_t i = 0; i < NAMES; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof path, "%s/tokenizer.json", dir);
	(void)unlink(path);
	(void)rmdir(dir);
}

/* The directory, with the demo's tokenizer in it. */
static void
make_directory(void)
{
	char here[PATH_MAX], path[PATH_MAX + 64], link[128];

	demand(mkdtemp(dir) != NULL && getcwd(here, sizeof here) != NULL);
	(void)snprintf(path, sizeof path,
	    "%s/examples/demo/model/tokenizer.json", here);
	(void)snprintf(link, sizeof link, "%s/tokenizer.json", dir);
	demand(access(path, R_OK) == 0 && symlink(path, link) == 0);
	demand(atexit(clean_up) == 0);
}

/* File I holds the N bytes at P. */
static void
put(size_t i, const void *p, size_t n)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
	if (n == 0) {
		(void)unlink(path);
		return;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	demand(fd >= 0 && write(fd, p, n) == (ssize_t)n && close(fd) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct model_features *features;
	const struct model_tokens *tokens;
	struct err e = { 0 };
	struct model *m;

	if (dir[sizeof dir - 2] == 'X')
		make_directory();
	for (size_t i = 0; i < NAMES; i++) {
		const uint8_t *nul = size == 0 || i == NAMES - 1 ? NULL :
		    memchr(data, 0, size);
		size_t n = nul == NULL ? size : (size_t)(nul - data);

		put(i, data, n);
		data += n;
		size -= n;
		if (nul != NULL) {
			data++;
			size--;
		}
	}
	m = model_open(dir, &e);
	demand(m != NULL);
	features = model_features(m, &e);
	if (features != NULL)
		demand(features->n_mels == 80 || features->n_mels == 128);
	else
		demand(e.kind == ERR_MODEL && e.text[0] != '\0');
	e = (struct err){ 0 };
	tokens = model_tokens(m, &e);
	if (tokens != NULL)
		demand(tokens->audio.id >= 0 && tokens->audio.text != NULL);
	else
		demand(e.kind == ERR_MODEL && e.text[0] != '\0');
	model_free(m);
	return 0;
}
