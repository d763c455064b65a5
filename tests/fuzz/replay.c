/*
 * replay FOLDER: give each file of FOLDER, in order of name, to a fuzz
 * target, and say so in TAP.  A target tells of a fault by crashing, so the
 * file's name is out before its turn comes.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* The bytes of FILE, N of them, in memory of exactly that size. */
static uint8_t *
slurp(const char *file, size_t *n)
{
	struct stat st;
	FILE *f = fopen(file, "rb");
	uint8_t *p = NULL;

	if (f == NULL || fstat(fileno(f), &st) < 0)
		goto out;
	*n = (size_t)st.st_size;
	if ((p = malloc(*n + (*n == 0))) != NULL &&
	    fread(p, 1, *n, f) != *n) {
		free(p);
		p = NULL;
	}
out:
	if (f != NULL)
		fclose(f);
	return p;
}

int
main(int argc, char *argv[])
{
	struct dirent **files;
	int n, rc = 0;

	if (argc != 2 ||
	    (n = scandir(argv[1], &files, is_visible, alphasort)) <= 0) {
		fprintf(stderr, "usage: replay FOLDER (with files in it)\n");
		return 2;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		char path[4096];
		uint8_t *p;
		size_t size;

		snprintf(path, sizeof path, "%s/%s", argv[1],
		    files[i]->d_name);
		printf("# %s\n", path);
		fflush(stdout);
		if ((p = slurp(path, &size)) != NULL)
			LLVMFuzzerTestOneInput(p, size);
		else
			rc = 1;
		printf("%sok %d - %s\n", p != NULL ? "" : "not ", i + 1,
		    files[i]->d_name);
		free(p);
		free(files[i]);
	}
	free(files);
	return rc;
}
