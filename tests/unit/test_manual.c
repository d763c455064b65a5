#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "code.h"
#include "file.h"
#include "unit.h"

/* ossicle(5), every run of whitespace one blank. */
static char *
page(struct buf *b)
{
	struct err e = { 0 };
	size_t n = 0;

	if (file_read("man/ossicle.5", 1 << 20, b, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < b->n; i++) {
		bool blank = isspace((unsigned char)b->p[i]);

		if (!blank || n == 0 || b->p[n - 1] != ' ')
			b->p[n++] = blank ? ' ' : b->p[i];
	}
	b->n = n;
	assert_int_equal(buf_putc(b, '\0', &e), 0);
	return b->p;
}

static size_t
count(const char *p, const char *text)
{
	size_t n = 0;

	for (; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

static void
the_table_of_codes_is_that_of_the_program(void **state)
{
	static const char *const ranks[] = {
		[CODE_ERROR] = "error", [CODE_NOTE] = "note",
		[CODE_EITHER] = "error or note",
	};
	struct buf b = { 0 };
	const char *p = page(&b);

	(void)state;
	assert_int_equal(count(p, " Cause: "), CODE_N - 1);
	for (int i = 1; i < CODE_N; i++) {
		const struct code_row *r = code_row((enum code)i);
		char want[1024];

		(void)snprintf(want, sizeof want, ".It Sy %s Pq %s "
		    "Cause: %s. Cure: %s. LLaMA-Factory %s. ", r->name,
		    ranks[r->rank], r->cause, r->cure, r->original);
		p = strstr(p, want);	/* in the order of the table */
		if (p == NULL)
			fail_msg("not in man/ossicle.5: %s", want);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_codes_is_that_of_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
