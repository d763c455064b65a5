#include "jsontext.h"
#include "jsonwalk.h"

/* The byte behind the value at P, or END. */
static const char *
behind_value(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		switch (*p) {
		case '"':
			p = jsontext_behind_string(p, end);
			if (depth == 0)
				return p;
			continue;
		case '{': case '[':
			depth++;
			break;
		case '}': case ']':
			/* 0: a scalar, and the end of what it is in. */
			if (depth == 0)
				return p;
			if (--depth == 0)
				return p + 1;
			break;
		case ',': case ' ': case '\n': case '\r': case '\t':
		case ':':
			if (depth == 0)
				return p;
			break;
		default:
			break;
		}
		p++;
	}
	return end;
}

/* P moved over whitespace and the punctuation C, which may be absent. */
static const char *
skip(const char *p, const char *end, char c)
{
	while (p < end && jsontext_is_space(*p))
		p++;
	if (p < end && *p == c)
		p++;
	while (p < end && jsontext_is_space(*p))
		p++;
	return p;
}

struct jsonwalk
jsonwalk_start(struct jsonspan v)
{
	struct jsonwalk w = { 0 };

	if (v.n < 2 || (v.p[0] != '{' && v.p[0] != '['))
		return w;
	w.object = v.p[0] == '{';
	w.p = v.p + 1;
	w.end = v.p + v.n - 1;
	return w;
}

bool
jsonwalk_next(struct jsonwalk *w)
{
	const char *p = w->p, *end = w->end;

	if (p == NULL)
		return false;
	p = skip(p, end, ',');
	w->key = (struct jsonspan){ 0 };
	if (w->object && p < end && *p == '"') {
		w->key.p = p;
		p = jsontext_behind_string(p, end);
		w->key.n = (size_t)(p - w->key.p);
		p = skip(p, end, ':');
	}
	w->value.p = p;
	w->p = behind_value(p, end);
	w->value.n = (size_t)(w->p - p);
	if (w->value.n == 0) {
		*w = (struct jsonwalk){ 0 };
		return false;
	}
	return true;
}
