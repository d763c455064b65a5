#include <stddef.h>
#include <string.h>

#include "buf.h"
#include "template.h"

static const struct template templates[] = {
	{
		.name = "qwen2_audio",
		.system = { { "<|im_start|>system\n{{content}}<|im_end|>\n",
		    false } },
		.user = { { "<|im_start|>user\n{{content}}<|im_end|>\n"
		    "<|im_start|>assistant\n", false } },
		.observation = { { "<|im_start|>user\n{{content}}<|im_end|>\n"
		    "<|im_start|>assistant\n", false } },
		.assistant = { { "{{content}}<|im_end|>\n", false } },
		.function = { { "{{content}}<|im_end|>\n", false } },
		.named_function = { { "{{content}}", false },
		    { "<|im_end|>", true } },
		.default_system = "You are a helpful assistant.",
		.tokens = { "<|im_start|>", "<|im_end|>" },
	},
};

const struct template *
template_at(unsigned i)
{
	return i < sizeof templates / sizeof templates[0] ? &templates[i] :
	    NULL;
}

const struct template *
template_find(const char *name)
{
	const struct template *t;

	for (unsigned i = 0; (t = template_at(i)) != NULL; i++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

const struct template *
template_need(const char *name, struct err *e)
{
	const struct template *t = template_find(name), *other;
	struct buf names = { 0 };
	int rc = 0;

	if (t != NULL)
		return t;
	for (unsigned i = 0; rc == 0 && (other = template_at(i)) != NULL; i++)
		rc = buf_printf(&names, e, " %s", other->name);
	if (rc == 0)
		(void)err_set(e, ERR_USAGE, "there is no template \"%s\"; "
		    "there are:%.*s", name, (int)names.n, names.p);
	buf_free(&names);
	return NULL;
}
