/* What a file is, and whose share a record is. */
#include <fcntl.h>
#include <sys/stat.h>
#include <zstd.h>

#include "splits.h"

static void
the_form_is_told_by_the_beginning(void **state)
{
	(void)state;
	/* The first line is a whole value: JSON Lines, whatever follows. */
	splits_into("{}\n{\n", "0:1:1 {}\n3:2:1 {\n", NULL);
	splits_into("7\n{}\n", "0:1:1 7\n2:2:1 {}\n", NULL);
	/* It is broken, but its brackets balance. */
	splits_into("{\"a\":NaN}\n{}\n", "0:1:1 {\"a\":NaN}\n10:2:1 {}\n",
	    NULL);
	/* It is broken, and the next begins anew. */
	splits_into("{\"a\":1,\n{}\n{}\n", "0:1:1 {\"a\":1,\n8:2:1 {}\n"
	    "11:3:1 {}\n", NULL);
	splits_into("{\"a\":\"x\n{}\n", "0:1:1 {\"a\":\"x\n8:2:1 {}\n", NULL);
	splits_into("{\"a\":1\n{\"b\":2\n{}\n", "0:1:1 {\"a\":1\n"
	    "7:2:1 {\"b\":2\n14:3:1 {}\n", NULL);
	splits_into("{\"a\":\"x", "0:1:1 {\"a\":\"x\n", NULL);
	splits_into("x{\n{}\n", "0:1:1 x{\n3:2:1 {}\n", NULL);
	splits_into("{} x\n{}\n", "0:1:1 {} x\n5:2:1 {}\n", NULL);
	splits_into("# comment\n{}\n", "0:1:1 # comment\n10:2:1 {}\n", NULL);
	/* As printed for people to read. */
	splits_into("{\n\"a\":[\n{}\n]}\n", "0:1:1 {\n\"a\":[\n{}\n]}\n", NULL);
	splits_into("{\"a\":NaN,\n \"b\":1}\n{\n}\n",
	    "0:1:1 {\"a\":NaN,\n \"b\":1}\n18:3:1 {\n}\n", NULL);
	splits_into("{}{}\n{}", "0:1:1 {}\n2:1:3 {}\n5:2:1 {}\n", NULL);
	/* The next goes on what the first began: there is no telling. */
	splits_into("{\"a\":\n{}\n{}\n", "",
	    "@:1:1: the record that starts here does not end");
	/* An array, even where its first line is whole. */
	splits_into("[{}]\n", "1:1:2 {}\n", NULL);
}

static void
a_byte_order_mark_is_passed(void **state)
{
	(void)state;
	splits_into("\xef\xbb\xbf{}\n{}", "3:1:1 {}\n6:2:1 {}\n", NULL);
	splits_into("\xef\xbb\xbf[{}]", "4:1:2 {}\n", NULL);
	splits_into("\xef\xbb\xbf", "", NULL);
	/* It belongs at the start only. */
	splits_into("{}\n\xef\xbb\xbf{}\n",
	    "0:1:1 {}\n3:2:1 \xef\xbb\xbf{}\n", NULL);
	splits_into("\xff\xfe{", "", "@ is UTF-16, not UTF-8");
	splits_into("\xfe\xff", "", "@ is UTF-16, not UTF-8");
}

static void
a_path_is_a_line(void **state)
{
	const struct jsonsplit_plan plan = {
		.max_record = 4096, .share = 1, .shares = 1, .paths = true,
	};
	static const char text[] = "a.wav\n\n[b] .wav \r\n{\n";
	struct splits s = splits_bytes(&plan, text, strlen(text));

	(void)state;
	assert_int_equal(s.rc, 0);
	assert_string_equal(s.text.p,
	    "0:1:1 a.wav\n7:3:1 [b] .wav \n18:4:1 {\n");
	splits_free(&s);
}

/* The texts whose shares are looked at, in files and compressed. */
static const char *const texts[] = {
	"{\"a\":1}\n{\"b\":22222}\n\n{}\n {\"c\":[3,4]}\r\n{\"d\":4}",
	"\xef\xbb\xbf{\"a\":1}\n{}\n",
	"[{\"a\":1},\n{\"b\":22222}, {} ,{\"c\":[3,4]}]\n",
	"\xef\xbb\xbf[{},{}]",
	"{\n}\n{\"a\":\n{}}{}\n", "{}", "", "\n\n\n",
};

#define TEXTS (sizeof texts / sizeof *texts)

/*
 * Shares of NAMES one after the other are the whole, where all is ranged.
 * Lines are known in the whole only: they are left out.
 */
static void
shares_add_up(const char *const *names, size_t n, uint64_t shares)
{
	struct jsonsplit_plan plan = SPLITS_ALL;
	struct splits whole = splits_files(&plan, names, n);
	struct buf all = { 0 };
	struct err e = { 0 };
	const char *p, *q;

	assert_int_equal(whole.rc, 0);
	plan.shares = shares;
	for (plan.share = 1; plan.share <= shares; plan.share++) {
		struct splits s = splits_files(&plan, names, n);

		assert_int_equal(s.rc, 0);
		assert_int_equal(buf_puts(&all, s.text.p, &e), 0);
		splits_free(&s);
	}
	assert_int_equal(buf_putc(&all, '\0', &e), 0);
	for (p = whole.text.p, q = all.p; *p != '\0' && *q != '\0';) {
		size_t a = strcspn(p, ":"), b = strcspn(q, ":");

		assert_int_equal(a, b);
		assert_memory_equal(p, q, a);
		/* The line may be unknown, which is 0. */
		if (q[b + 1] == '0')
			q += b + 2;
		else
			q += b + 1 + strspn(q + b + 1, "0123456789");
		p += a + 1 + strspn(p + a + 1, "0123456789");
		a = strcspn(p, "\n");
		b = strcspn(q, "\n");
		assert_int_equal(a, b);
		assert_memory_equal(p, q, a);
		p += a + 1;
		q += b + 1;
	}
	assert_int_equal(*p, '\0');
	assert_int_equal(*q, '\0');
	buf_free(&all);
	splits_free(&whole);
}

static void
shares_of_files_are_the_whole_in_order(void **state)
{
	char name[TEXTS][32];
	const char *names[TEXTS];

	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		splits_write(name[i], texts[i], strlen(texts[i]));
		names[i] = name[i];
	}
	for (uint64_t k = 1; k < 60; k++) {
		for (size_t i = 0; i < TEXTS; i++)
			shares_add_up(&names[i], 1, k);
		shares_add_up(names, TEXTS, k);
	}
	for (size_t i = 0; i < TEXTS; i++)
		(void)unlink(name[i]);
}

/* A .zst file of TEXT. */
static void
write_compressed(char *name, const char *text)
{
	char out[512];
	size_t n = ZSTD_compress(out, sizeof out, text, strlen(text), 1);

	assert_false(ZSTD_isError(n));
	splits_write(name, out, n);
}

static void
a_compressed_file_is_split_as_its_content(void **state)
{
	const struct jsonsplit_plan plan = SPLITS_ALL;

	(void)state;
	for (size_t i = 0; i < TEXTS; i++) {
		struct splits plain = splits_bytes(&plan, texts[i],
		    strlen(texts[i])), s;
		char name[32];
		const char *names[] = { name };

		write_compressed(name, texts[i]);
		s = splits_files(&plan, names, 1);
		assert_int_equal(s.rc, 0);
		assert_string_equal(s.text.p, plain.text.p);
		splits_free(&s);
		splits_free(&plain);
		(void)unlink(name);
	}
}

static void
records_of_a_compressed_file_are_dealt_out(void **state)
{
	struct jsonsplit_plan plan = SPLITS_ALL;
	char name[32];
	const char *names[] = { name };
	struct splits s;

	(void)state;
	write_compressed(name, texts[0]);
	plan.shares = 3;
	s = splits_files(&plan, names, 1);
	assert_string_equal(s.text.p,
	    "0:1:1 {\"a\":1}\n25:5:2 {\"c\":[3,4]}\n");
	splits_free(&s);
	plan.share = 2;
	s = splits_files(&plan, names, 1);
	assert_string_equal(s.text.p,
	    "8:2:1 {\"b\":22222}\n38:6:1 {\"d\":4}\n");
	splits_free(&s);
	plan.share = 3;
	s = splits_files(&plan, names, 1);
	assert_string_equal(s.text.p, "21:4:1 {}\n");
	splits_free(&s);
	(void)unlink(name);
}

/* A share in the middle of a tebibyte, which could not be read in the time
 * that a test has. */
static void
a_share_of_lines_reads_only_its_bytes(void **state)
{
	static const char text[] = "\n{\"a\":1}\n{}\n";
	struct jsonsplit_plan plan = {
		.max_record = 4 << 20, .share = 500001, .shares = 1000000,
	};
	const off_t size = (off_t)1 << 40, from = size / 2;
	char name[32];
	const char *names[] = { name };
	struct splits s;
	int fd;

	(void)state;
	splits_write(name, "", 0);
	fd = open(name, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(pwrite(fd, text, strlen(text), from - 1), 12);
	/* What starts in our share is ours to its end. */
	assert_int_equal(pwrite(fd, "x\n{}\n", 5, from + (2 << 20)), 5);
	(void)close(fd);
	s = splits_files(&plan, names, 1);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.records, 3);
	assert_memory_equal(s.text.p, "549755813888:0:1 {\"a\":1}\n"
	    "549755813896:0:1 {}\n549755813899:0:1 \0\0", 65);
	splits_free(&s);
	(void)unlink(name);
}

static void
what_cannot_be_read_is_told_before_anything_is_done(void **state)
{
	const struct jsonsplit_plan plan = SPLITS_ALL;
	char name[32];
	const char *names[] = { name, "/tmp/there-is-no-such/file" };
	const char *folder[] = { "/tmp" };
	struct splits s;

	(void)state;
	splits_write(name, "{}\n", 3);
	s = splits_files(&plan, names, 2);
	assert_int_equal(s.rc, -1);
	assert_int_equal(s.e.kind, ERR_SYSTEM);
	assert_string_equal(s.e.text, "cannot read /tmp/there-is-no-such/file: "
	    "No such file or directory");
	assert_int_equal(s.records, 0);
	splits_free(&s);
	(void)unlink(name);
	s = splits_files(&plan, folder, 1);
	assert_string_equal(s.e.text, "cannot read /tmp: it is a folder");
	splits_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_form_is_told_by_the_beginning),
		cmocka_unit_test(a_byte_order_mark_is_passed),
		cmocka_unit_test(a_path_is_a_line),
		cmocka_unit_test(shares_of_files_are_the_whole_in_order),
		cmocka_unit_test(a_compressed_file_is_split_as_its_content),
		cmocka_unit_test(records_of_a_compressed_file_are_dealt_out),
		cmocka_unit_test(a_share_of_lines_reads_only_its_bytes),
		cmocka_unit_test(
		    what_cannot_be_read_is_told_before_anything_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
