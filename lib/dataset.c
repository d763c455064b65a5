#include <stdbool.h>
#include <string.h>

#include "dataset.h"
#include "file.h"
#include "pyjson.h"

#define INFO_MAX (16u << 20)	/* bytes of a dataset_info.json */

static const char *const format_names[DATASET_FORMATS] = {
	[DATASET_AUTO] = "auto", [DATASET_SHAREGPT] = "sharegpt",
	[DATASET_OPENAI] = "openai", [DATASET_ALPACA] = "alpaca",
	[DATASET_TRL] = "trl", [DATASET_SWIFT] = "swift",
};

/* parser.py, DatasetAttr.join. */
static const char *const column_keys[DATASET_COLUMNS] = {
	[DATASET_PROMPT] = "prompt", [DATASET_QUERY] = "query",
	[DATASET_RESPONSE] = "response", [DATASET_HISTORY] = "history",
	[DATASET_MESSAGES] = "messages", [DATASET_SYSTEM] = "system",
	[DATASET_TOOLS] = "tools", [DATASET_IMAGES] = "images",
	[DATASET_VIDEOS] = "videos", [DATASET_AUDIOS] = "audios",
	[DATASET_CHOSEN] = "chosen", [DATASET_REJECTED] = "rejected",
	[DATASET_KTO] = "kto_tag",
};

static const char *const tag_keys[DATASET_TAGS] = {
	[DATASET_ROLE] = "role_tag", [DATASET_CONTENT] = "content_tag",
	[DATASET_USER] = "user_tag", [DATASET_ASSISTANT] = "assistant_tag",
	[DATASET_OBSERVATION] = "observation_tag",
	[DATASET_FUNCTION] = "function_tag",
	[DATASET_SYSTEM_ROLE] = "system_tag",
};

#define SHAREGPT_TAGS \
	[DATASET_ROLE] = "from", [DATASET_CONTENT] = "value", \
	[DATASET_USER] = "human", [DATASET_ASSISTANT] = "gpt", \
	[DATASET_OBSERVATION] = "observation", \
	[DATASET_FUNCTION] = "function_call", \
	[DATASET_SYSTEM_ROLE] = "system"

/* What a dataset_info.json need not say: DatasetAttr's defaults. */
static const struct dataset defaults = {
	.column = {
		[DATASET_PROMPT] = "instruction", [DATASET_QUERY] = "input",
		[DATASET_RESPONSE] = "output",
		[DATASET_MESSAGES] = "conversations",
	},
	.tag = { SHAREGPT_TAGS },
};

#define COMMON_COLUMNS \
	[DATASET_SYSTEM] = "system", [DATASET_TOOLS] = "tools", \
	[DATASET_IMAGES] = "images", [DATASET_VIDEOS] = "videos", \
	[DATASET_AUDIOS] = "audios"

#define ANSWER_COLUMNS \
	[DATASET_CHOSEN] = "chosen", [DATASET_REJECTED] = "rejected"

#define CHAT_TAGS \
	[DATASET_ROLE] = "role", [DATASET_CONTENT] = "content", \
	[DATASET_USER] = "user", [DATASET_ASSISTANT] = "assistant", \
	[DATASET_SYSTEM_ROLE] = "system"

static const struct dataset usual[DATASET_FORMATS] = {
	[DATASET_AUTO] = { .format = DATASET_AUTO },
	[DATASET_SHAREGPT] = {
		.format = DATASET_SHAREGPT,
		.column = { COMMON_COLUMNS, ANSWER_COLUMNS,
			[DATASET_KTO] = "kto_tag",
			[DATASET_MESSAGES] = "conversations" },
		.tag = { SHAREGPT_TAGS },
	},
	[DATASET_OPENAI] = {
		.format = DATASET_OPENAI,
		.column = { COMMON_COLUMNS, ANSWER_COLUMNS,
			[DATASET_KTO] = "kto_tag",
			[DATASET_MESSAGES] = "messages" },
		.tag = { CHAT_TAGS, [DATASET_OBSERVATION] = "tool",
			[DATASET_FUNCTION] = "function" },
		.also = { [DATASET_OBSERVATION] = "observation",
			[DATASET_FUNCTION] = "function_call" },
	},
	[DATASET_ALPACA] = {
		.format = DATASET_ALPACA,
		.column = { COMMON_COLUMNS, ANSWER_COLUMNS,
			[DATASET_KTO] = "kto_tag",
			[DATASET_PROMPT] = "instruction",
			[DATASET_QUERY] = "input",
			[DATASET_RESPONSE] = "output",
			[DATASET_HISTORY] = "history" },
	},
	[DATASET_TRL] = {
		.format = DATASET_TRL,
		.column = { COMMON_COLUMNS, ANSWER_COLUMNS,
			[DATASET_KTO] = "label",
			[DATASET_PROMPT] = "prompt" },
		.tag = { CHAT_TAGS, [DATASET_OBSERVATION] = "tool",
			[DATASET_FUNCTION] = "function" },
		.also = { [DATASET_OBSERVATION] = "observation",
			[DATASET_FUNCTION] = "function_call" },
	},
	[DATASET_SWIFT] = {
		.format = DATASET_SWIFT,
		.column = { COMMON_COLUMNS, [DATASET_KTO] = "label",
			[DATASET_MESSAGES] = "messages",
			[DATASET_REJECTED] = "rejected_response",
			[DATASET_OTHER] = "rejected_messages" },
		.tag = { CHAT_TAGS, [DATASET_OBSERVATION] = "tool",
			[DATASET_FUNCTION] = "tool_call" },
		.also = { [DATASET_OBSERVATION] = "tool_response",
			[DATASET_FUNCTION] = "function" },
	},
};

const struct dataset *
dataset_usual(enum dataset_format format)
{
	return &usual[format];
}

const char *
dataset_format_name(enum dataset_format format)
{
	return format_names[format];
}

enum dataset_format
dataset_format_find(const char *name)
{
	for (int i = 0; i < DATASET_FORMATS; i++)
		if (strcmp(format_names[i], name) == 0)
			return (enum dataset_format)i;
	return DATASET_FORMATS;
}

void
dataset_free(struct dataset *d)
{
	buf_free(&d->text);
	*d = (struct dataset){ 0 };
}

/*
 * Take the names that KEYS has in OBJECT into NAMES: NULL where there is
 * none, else as an offset into D's text, which has yet to stop moving.
 */
static int
take_names(struct dataset *d, struct jsonspan object, const char *section,
    const char *const *keys, size_t n, size_t *offsets, struct err *e)
{
	if (jsonscan_type(object) != JSON_OBJECT)
		return err_set(e, ERR_USAGE, "\"%s\" is %s, not an object",
		    section, jsonscan_type_name(jsonscan_type(object)));
	for (size_t i = 0; i < n; i++) {
		struct jsonspan v;
		enum json_type type;

		offsets[i] = SIZE_MAX;
		if (keys[i] == NULL)
			continue;
		v = jsonscan_get(object, keys[i]);
		type = jsonscan_type(v);
		if (type == JSON_NONE || type == JSON_NULL)
			continue;
		if (type != JSON_STRING)
			return err_set(e, ERR_USAGE,
			    "\"%s\" of \"%s\" is %s, not a string", keys[i],
			    section, jsonscan_type_name(type));
		offsets[i] = d->text.n;
		if (jsonscan_string(v, &d->text, e) < 0 ||
		    buf_putc(&d->text, '\0', e) < 0)
			return -1;
		if (strlen(d->text.p + offsets[i]) + 1 !=
		    d->text.n - offsets[i])
			return err_set(e, ERR_USAGE,
			    "\"%s\" of \"%s\" holds a NUL", keys[i], section);
	}
	return 0;
}

/* Take "columns" and "tags" from ATTR. */
static int
take_attributes(struct dataset *d, struct jsonspan attr, struct err *e)
{
	struct jsonspan columns = jsonscan_get(attr, "columns");
	struct jsonspan tags = jsonscan_get(attr, "tags");
	size_t at[DATASET_COLUMNS] = { 0 }, tag_at[DATASET_TAGS] = { 0 };

	if (columns.p != NULL && take_names(d, columns, "columns",
	    column_keys, DATASET_COLUMNS, at, e) < 0)
		return -1;
	if (tags.p != NULL && take_names(d, tags, "tags", tag_keys,
	    DATASET_TAGS, tag_at, e) < 0)
		return -1;
	for (size_t i = 0; columns.p != NULL && i < DATASET_COLUMNS; i++)
		d->column[i] = at[i] == SIZE_MAX || d->text.p[at[i]] == '\0' ?
		    NULL : d->text.p + at[i];
	for (size_t i = 0; tags.p != NULL && i < DATASET_TAGS; i++)
		d->tag[i] = tag_at[i] == SIZE_MAX ? NULL :
		    d->text.p + tag_at[i];
	return 0;
}

/* Take "formatting" from ATTR; it is alpaca where ATTR does not say. */
static int
take_format(struct dataset *d, struct jsonspan attr, struct err *e)
{
	static const enum dataset_format known[] = {
		DATASET_ALPACA, DATASET_SHAREGPT, DATASET_OPENAI
	};
	struct jsonspan v = jsonscan_get(attr, "formatting");
	char quoted[80];

	d->format = DATASET_ALPACA;
	if (v.p == NULL)
		return 0;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (jsonscan_is(v, format_names[known[i]])) {
			d->format = known[i];
			return 0;
		}
	return err_set(e, ERR_USAGE, "\"formatting\" is %s; LLaMA-Factory "
	    "knows alpaca, sharegpt and openai",
	    err_quote(quoted, sizeof quoted, v.p, v.n));
}

/* Whether D's columns and tags suffice for a pair. */
static int
check_names(const struct dataset *d, struct jsonspan attr, struct err *e)
{
	bool chat = d->format != DATASET_ALPACA;
	const char *missing = NULL;

	if (!pyjson_true(jsonscan_get(attr, "ranking"))) {
		(void)err_set(e, ERR_USAGE, "\"ranking\" is not true, so that "
		    "LLaMA-Factory would drop every pair");
		return err_hint(e, "write \"ranking\": true beside "
		    "\"formatting\"");
	}
	if (d->column[DATASET_CHOSEN] == NULL)
		missing = "chosen";
	else if (d->column[DATASET_REJECTED] == NULL)
		missing = "rejected";
	else if (chat && d->column[DATASET_MESSAGES] == NULL)
		missing = "messages";
	else if (!chat && d->column[DATASET_PROMPT] == NULL &&
	    d->column[DATASET_QUERY] == NULL)
		missing = "prompt";
	if (missing != NULL) {
		(void)err_set(e, ERR_USAGE, "\"columns\" names no \"%s\"",
		    missing);
		return err_hint(e, "\"columns\", once it is there, names all "
		    "columns that are used");
	}
	if (chat && d->tag[DATASET_ROLE] == NULL)
		missing = "role_tag";
	else if (chat && d->tag[DATASET_CONTENT] == NULL)
		missing = "content_tag";
	if (missing != NULL) {
		(void)err_set(e, ERR_USAGE, "\"tags\" names no \"%s\"",
		    missing);
		return err_hint(e, "\"tags\", once it is there, names all "
		    "tags that are used");
	}
	return 0;
}

int
dataset_parse(struct dataset *d, const char *p, size_t n, const char *name,
    struct err *e)
{
	struct jsonspan info, attr;

	if (jsonscan_check_python(p, n, NULL, e) < 0) {
		if (e->kind == ERR_RECORD)
			e->kind = ERR_USAGE;
		return -1;
	}
	info = jsonscan_value(p, n);
	attr = jsonscan_get(info, name);
	if (jsonscan_type(info) != JSON_OBJECT || attr.p == NULL)
		return err_set(e, ERR_USAGE, "there is no data set of the name "
		    "\"%s\"", name);
	buf_clear(&d->text);
	memcpy(d->column, defaults.column, sizeof d->column);
	memcpy(d->tag, defaults.tag, sizeof d->tag);
	memset(d->also, 0, sizeof d->also);
	if (jsonscan_type(attr) != JSON_OBJECT)
		(void)err_set(e, ERR_USAGE, "it is %s, not an object",
		    jsonscan_type_name(jsonscan_type(attr)));
	else if (take_format(d, attr, e) == 0 &&
	    take_attributes(d, attr, e) == 0 &&
	    check_names(d, attr, e) == 0)
		return 0;
	return err_wrap(e, "data set \"%s\"", name);
}

int
dataset_read(struct dataset *d, const char *path, const char *name,
    struct err *e)
{
	struct buf text = { 0 };
	int rc = -1;

	if (file_read(path, INFO_MAX, &text, e) < 0)
		goto out;
	rc = dataset_parse(d, text.p, text.n, name, e);
	if (rc < 0)
		(void)err_wrap(e, "%s", path);
out:
	buf_free(&text);
	return rc;
}
