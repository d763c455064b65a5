#include <stdint.h>

#include <nettle/sha2.h>
#include <nettle/version.h>

#include "digest.h"

void
digest_sha256(const void *p, size_t n, char hex[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t sum[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, n, p);
	sha256_digest(&ctx, sizeof sum, sum);
	for (size_t i = 0; i < sizeof sum; i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[2 * sizeof sum] = '\0';
}

const char *
digest_library(void)
{
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
	return TEXT(NETTLE_VERSION_MAJOR) "." TEXT(NETTLE_VERSION_MINOR);
#undef TEXT
#undef TEXT_
}
