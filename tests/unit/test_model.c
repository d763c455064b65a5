#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tokenizers.h"

#include "digest.h"
#include "model.h"

/* A model's directory that a test may spoil, and the files that it may hold.
 * (Written to, so that its path can be made of it.) */
static char dir[64];
static const char *const files[] = {
	"tokenizer.json", "tokenizer_config.json", "preprocessor_config.json",
	"processor_config.json", "special_tokens_map.json", "refs/main",
};

/* Write TEXT to the file NAME of the directory. */
static void
write_file(const char *name, const char *text, size_t n)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* The content of the file NAME of the demo's model. */
static struct buf
demo_file(const char *name)
{
	struct buf text = { 0 };
	struct err e = { 0 };
	char path[256];

	(void)snprintf(path, sizeof path, "examples/demo/model/%s", name);
	if (file_read(path, 16u << 20, &text, &e) < 0)
		fail_msg("%s", e.text);
	return text;
}

static void
remove_file(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	(void)unlink(path);
}

/* Begin each test with a copy of the demo's model. */
static int
copy_model(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/ossicle-model-XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < 4; i++) {
		struct buf text = demo_file(files[i]);

		write_file(files[i], text.p, text.n);
		buf_free(&text);
	}
	return 0;
}

static int
remove_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		remove_file(files[i]);
	return rmdir(dir);
}

/* Replace FROM by TO in the copy's file NAME. */
static void
change(const char *name, const char *from, const char *to)
{
	struct buf text = demo_file(name);

	replace(&text, from, to);
	write_file(name, text.p, text.n);
	buf_free(&text);
}

/* Open the copy. */
static struct model *
open_copy(void)
{
	struct err e = { 0 };
	struct model *m = model_open(dir, &e);

	if (m == NULL)
		fail_msg("%s", e.text);
	return m;
}

static void
the_tokens_of_the_demo_are_known(void **state)
{
	struct model *m = open_copy();
	struct err e = { 0 };
	const struct model_tokens *t = model_tokens(m, &e);

	(void)state;
	if (t == NULL)
		fail_msg("%s", e.text);
	assert_string_equal(t->audio.text, "<|AUDIO|>");
	assert_string_equal(t->audio_bos.text, "<|audio_bos|>");
	assert_string_equal(t->audio_eos.text, "<|audio_eos|>");
	assert_string_equal(t->eos.text, "<|endoftext|>");
	assert_string_equal(t->pad.text, "<|endoftext|>");
	assert_int_equal(t->audio_bos.id, t->audio.id + 1);
	assert_int_equal(t->audio_eos.id, t->audio.id + 2);
	assert_int_equal(t->audio.id,
	    bpe_id(model_tokenizer(m, &e), "<|AUDIO|>", 9));
	assert_int_equal(model_features(m, &e)->n_mels, 128);
	assert_string_equal(model_dir(m), dir);
	model_free(m);
}

/* Each file is summed once, however often it is asked for. */
static void
the_files_read_are_listed_with_their_sums(void **state)
{
	static const char *const order[] = {
		"processor_config.json", "preprocessor_config.json",
		"tokenizer_config.json", "tokenizer.json",
	};
	struct model *m = open_copy();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(model_files(m), 0);
	for (int time = 0; time < 2; time++) {
		assert_non_null(model_features(m, &e));
		assert_non_null(model_tokenizer(m, &e));
		assert_non_null(model_tokens(m, &e));
		assert_int_equal(model_files(m), 4);
	}
	for (size_t i = 0; i < 4; i++) {
		struct buf text = demo_file(order[i]);
		char hex[DIGEST_HEX_SIZE];

		digest_sha256(text.p, text.n, hex);
		assert_string_equal(model_file(m, i)->name, order[i]);
		assert_string_equal(model_file(m, i)->sha256, hex);
		buf_free(&text);
	}
	model_free(m);
}

/* What each change of a file leads to: NULL for nothing. */
static const struct {
	const char *file, *from, *to, *said;
} changes[] = {
#define F "preprocessor_config.json"
	{ F, "\"sampling_rate\": 16000", "\"sampling_rate\": 8000",
	    "sampling_rate is 8000" },
	{ F, "\"n_fft\": 400", "\"n_fft\": 512", "n_fft is 512" },
	{ F, "\"hop_length\": 160", "\"hop_length\": 80", "hop_length is 80" },
	{ F, "\"chunk_length\": 30", "\"chunk_length\": 15", "chunk_length" },
	{ F, "\"chunk_length\": 30", "\"chunk_length\": 30.0", "whole" },
	{ F, "\"chunk_length\": 30", "\"chunk_length\": null", "null" },
	{ F, "\"padding_value\": 0.0", "\"padding_value\": 0.5", "0.5" },
	{ F, "\"padding_value\": 0.0", "\"padding_value\": -0.0", NULL },
	{ F, "\"padding_value\": 0.0", "\"padding_value\": 0", NULL },
	{ F, "\"padding_value\": 0.0", "\"dither\": 0.0001", "dither" },
	{ F, "\"padding_value\": 0.0", "\"dither\": 0.0", NULL },
	{ F, "\"padding_side\": \"right\"", "\"padding_side\": \"left\"",
	    "padding_side is left" },
	{ F, "\"feature_size\": 128", "\"feature_size\": 100", "80 or 128" },
	{ F, "\"feature_size\": 128", "\"feature_size\": 80", NULL },
	{ F, "\"feature_size\": 128", "\"feature_size\": \"128\"", "string" },
	{ F, "WhisperFeatureExtractor", "ClapFeatureExtractor", "Clap" },
	{ F, "\"feature_extractor_type\": \"WhisperFeatureExtractor\",",
	    "", "feature_extractor_type" },
	{ F, "\"n_samples\": 480000", "\"n_samples\": 1", NULL },
	{ F, "\"n_samples\": 480000", "\"do_rescale\": true", "do_rescale" },
	{ F, "\"n_samples\": 480000", "\"n_samples\": 1,", "bad" },
	{ F, "\"n_samples\": 480000", "\"n_fft\": 400", "n_fft" },
#undef F
#define F "processor_config.json"
	{ F, "Qwen2AudioProcessor", "OtherProcessor", "OtherProcessor" },
	{ F, "\"<|AUDIO|>\"", "\"<|SOUND|>\"", "<|SOUND|>" },
	{ F, "\"<|AUDIO|>\"", "7", "audio_token" },
	{ F, "{", "{\"feature_extractor\": {\"feature_extractor_type\": "
	    "\"WhisperFeatureExtractor\", \"n_fft\": 200},", "n_fft is 200" },
	{ F, "{", "{\"feature_extractor\": {\"feature_extractor_type\": "
	    "\"WhisperFeatureExtractor\"},", NULL },
	{ F, "{", "{\"feature_extractor\": 3,", "not an object" },
	{ F, "{", "[", "processor_config.json" },
#undef F
#define F "tokenizer_config.json"
	{ F, "\"Qwen2Tokenizer\"", "\"LlamaTokenizer\"", "LlamaTokenizer" },
	{ F, "\"Qwen2Tokenizer\"", "\"Qwen2TokenizerFast\"", NULL },
	{ F, "\"tokenizer_class\"", "\"class\"", "tokenizer_class" },
	{ F, "\"add_prefix_space\": false", "\"add_prefix_space\": true",
	    "add_prefix_space" },
	{ F, "\"add_prefix_space\": false", "\"auto_map\": {}", "auto_map" },
	{ F, "\"add_prefix_space\": false", "\"vocab\": {\"a\": 0}",
	    "vocab" },
	{ F, "\"add_prefix_space\": false", "\"init_inputs\": []", NULL },
	{ F, "\"add_prefix_space\": false", "\"init_inputs\": [1]",
	    "init_inputs" },
	{ F, "\"eos_token\": \"<|endoftext|>\"", "\"eos_token\": \"</s>\"",
	    "</s>" },
	{ F, "\"eos_token\": \"<|endoftext|>\"", "\"eos_token\": null",
	    NULL },
	{ F, "\"eos_token\": \"<|endoftext|>\"", "\"eos_token\": {\"__type\":"
	    "\"AddedToken\",\"content\":\"<|im_end|>\",\"lstrip\":false}",
	    NULL },
	{ F, "\"eos_token\": \"<|endoftext|>\"", "\"eos_token\": {\"__type\":"
	    "\"AddedToken\",\"content\":\"<|im_end|>\",\"lstrip\":true}",
	    "lstrip" },
	{ F, "\"eos_token\": \"<|endoftext|>\"", "\"eos_token\": 3",
	    "eos_token" },
	{ F, "\"additional_special_tokens\": [",
	    "\"additional_special_tokens\": [\"<|new|>\",", "<|new|>" },
	{ F, "\"additional_special_tokens\": [",
	    "\"audio_token\": \"<|im_end|>\", \"x\": [", "audio_token" },
	{ F, "\"2332\"", "\"2400\"", "id" },
	{ F, "\"2332\"", "\"x\"", "added_tokens_decoder" },
	{ F, "\"lstrip\": false", "\"lstrip\": true", "lstrip" },
	{ F, "\"content\": \"<|endoftext|>\"", "\"text\": \"\"", "content" },
	{ F, "\"content\": \"<|endoftext|>\"", "\"content\": \"a\\u0000\"",
	    "NUL" },
	{ F, "\"content\": \"<|endoftext|>\"", "\"content\": \"\"",
	    "0 bytes" },
	{ F, "\"special\": true", "\"special\": 1", "special" },
	{ F, "\"errors\"", "\"errors", "tokenizer_config.json" },
#undef F
#define F "tokenizer.json"
	{ F, "\"NFC\"", "\"NFD\"", "NFD" },
	/* Its own list of added tokens is not looked at beside the other. */
	{ F, "\"id\": 2332", "\"id\": 9999", NULL },
#undef F
};

static void
what_is_not_implemented_is_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct err e = { 0 };
		struct model *m;
		bool good;

		change(changes[i].file, changes[i].from, changes[i].to);
		m = open_copy();
		good = model_features(m, &e) != NULL &&
		    model_tokens(m, &e) != NULL;
		if (good != (changes[i].said == NULL))
			fail_msg("%s in %s: %s", changes[i].to,
			    changes[i].file, good ? "passes" : e.text);
		if (!good && e.kind != ERR_MODEL)
			fail_msg("%s: kind %d", changes[i].to, (int)e.kind);
		if (!good && strcmp(changes[i].said, "bad") != 0 &&
		    strstr(e.text, changes[i].said) == NULL)
			fail_msg("%s: %s", changes[i].to, e.text);
		model_free(m);
		/* Put the file back. */
		change(changes[i].file, "{", "{");
	}
}

/* Names of audio tokens: the tokenizer's before the processor's, and those of
 * Qwen2AudioProcessor where neither has any. */
static void
audio_tokens_are_found_where_transformers_finds_them(void **state)
{
	struct err e = { 0 };
	struct model *m;

	(void)state;
	remove_file("processor_config.json");
	m = open_copy();
	assert_string_equal(model_tokens(m, &e)->audio_bos.text,
	    "<|audio_bos|>");
	model_free(m);
	change("processor_config.json", "\"<|audio_bos|>\"",
	    "\"<|im_start|>\"");
	m = open_copy();
	assert_string_equal(model_tokens(m, &e)->audio_bos.text,
	    "<|im_start|>");
	model_free(m);
	change("tokenizer_config.json", "{",
	    "{\"audio_bos_token\": \"<|im_end|>\",");
	m = open_copy();
	assert_string_equal(model_tokens(m, &e)->audio_bos.text,
	    "<|im_end|>");
	model_free(m);
}

/* transformers 5 saves no added_tokens_decoder: those of tokenizer.json are
 * then taken, unless older files lie about, whose part is not implemented. */
static void
added_tokens_may_be_tokenizer_jsons_own(void **state)
{
	struct err e = { 0 };
	struct model *m;
	int32_t id;

	(void)state;
	change("tokenizer_config.json", "\"added_tokens_decoder\"",
	    "\"chat_template\"");
	m = open_copy();
	assert_non_null(model_tokens(m, &e));
	id = model_tokens(m, &e)->audio.id;
	assert_true(bpe_is_special(model_tokenizer(m, &e), id));
	model_free(m);
	write_file("special_tokens_map.json", "{}", 2);
	m = open_copy();
	assert_null(model_tokens(m, &e));
	assert_int_equal(e.kind, ERR_MODEL);
	assert_non_null(strstr(e.text, "special_tokens_map.json"));
	model_free(m);
}

/* A token that is listed as special is special whatever its own flags say,
 * and is then sought in the text as it is. */
static void
listed_tokens_are_special(void **state)
{
	struct err e = { 0 };
	struct model *m;

	(void)state;
	change("tokenizer_config.json", "\"special\": true",
	    "\"special\": false");
	m = open_copy();
	assert_true(bpe_is_special(model_tokenizer(m, &e),
	    model_tokens(m, &e)->eos.id));
	model_free(m);
}

static void
a_missing_file_is_named(void **state)
{
	static const char *const needed[] = {
		"tokenizer.json", "tokenizer_config.json",
		"preprocessor_config.json",
	};

	(void)state;
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		struct err e = { 0 };
		struct model *m;

		remove_file(needed[i]);
		m = open_copy();
		assert_false(model_tokens(m, &e) != NULL &&
		    model_features(m, &e) != NULL);
		assert_int_equal(e.kind, ERR_MODEL);
		assert_non_null(strstr(e.text, needed[i]));
		model_free(m);
		change(needed[i], "{", "{");
	}
}

/* Make the folder NAME within the directory. */
static void
make_folder(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
remove_folder(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(rmdir(path), 0);
}

/* Whether the model org/name opens, as .../abc. */
static bool
opens(void)
{
	struct err e = { 0 };
	struct model *m = model_open("org/name", &e);
	bool good = m != NULL && strcmp(strrchr(model_dir(m), '/'),
	    "/abc") == 0;

	if (m == NULL)
		assert_int_equal(e.kind, ERR_MODEL);
	model_free(m);
	return good;
}

/* The cache is where the first of four variables says. */
static void
a_name_is_looked_up_in_the_cache(void **state)
{
	static const char *const variables[] = {
		"XDG_CACHE_HOME", "HF_HOME", "HUGGINGFACE_HUB_CACHE",
		"HF_HUB_CACHE",
	};
	static const char *const hubs[] = {
		"/huggingface/hub", "/hub", "", ""
	};
	static const char *const folders[] = {
		"huggingface", "huggingface/hub",
		"huggingface/hub/models--org--name",
		"huggingface/hub/models--org--name/refs",
		"huggingface/hub/models--org--name/snapshots",
		"huggingface/hub/models--org--name/snapshots/abc",
	};
	char value[256];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		make_folder(folders[i]);
	write_file("huggingface/hub/models--org--name/refs/main", "abc\n", 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(unsetenv(variables[i]), 0);
	assert_int_equal(setenv("HOME", "/nowhere", 1), 0);
	assert_false(opens());
	for (size_t i = 0; i < 4; i++) {
		/* What counts for more is empty, which is as if unset. */
		assert_int_equal(setenv(variables[3], "", 1), 0);
		(void)snprintf(value, sizeof value, "%s%s", dir,
		    i == 0 ? "" : i == 1 ? "/huggingface" :
		    "/huggingface/hub");
		assert_int_equal(setenv(variables[i], value, 1), 0);
		if (!opens())
			fail_msg("%s=%s%s", variables[i], value, hubs[i]);
		assert_int_equal(setenv(variables[i], "/nowhere", 1), 0);
		assert_false(opens());
	}
	assert_int_equal(setenv("HOME", dir, 1), 0);
	assert_int_equal(setenv("HF_HUB_CACHE", "~/huggingface/hub", 1), 0);
	assert_true(opens());
	write_file("huggingface/hub/models--org--name/refs/main", "../..", 5);
	assert_false(opens());
	write_file("huggingface/hub/models--org--name/refs/main", "gone", 4);
	assert_false(opens());
	remove_file("huggingface/hub/models--org--name/refs/main");
	assert_false(opens());
	for (size_t i = 6; i-- > 0; )
		remove_folder(folders[i]);
}

static void
what_is_no_model_is_refused(void **state)
{
	static const char *const names[] = {
		"", ".hidden", "../up", "a/b/c", "/nowhere/at/all", "a/", "a b",
		"org/..", "examples/demo/data.json", "org/no-such-model",
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct err e = { 0 };

		assert_null(model_open(names[i], &e));
		assert_int_equal(e.kind, ERR_MODEL);
		assert_true(e.hint[0] != '\0');
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, copy_model, remove_model)
	const struct CMUnitTest tests[] = {
		TEST(the_tokens_of_the_demo_are_known),
		TEST(the_files_read_are_listed_with_their_sums),
		TEST(what_is_not_implemented_is_refused_by_name),
		TEST(audio_tokens_are_found_where_transformers_finds_them),
		TEST(added_tokens_may_be_tokenizer_jsons_own),
		TEST(listed_tokens_are_special),
		TEST(a_missing_file_is_named),
		TEST(a_name_is_looked_up_in_the_cache),
		TEST(what_is_no_model_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
