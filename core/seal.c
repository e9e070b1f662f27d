/* seal.c -- see seal.h. The file is 64 hexadecimal digits and a line's end. */
#include "core/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/why.h"

enum { DIGITS = 2 * SK_SEAL_KEY };

/* -- the file -- */

static int value_of(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool read_digits(const char *text, uint8_t key[SK_SEAL_KEY])
{
	for (int i = 0; i < SK_SEAL_KEY; i++) {
		int high = value_of(text[2 * i]), low = value_of(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int read_key(int fd, const char *what, const char *path, uint8_t key[SK_SEAL_KEY], char *why, size_t why_size)
{
	char text[DIGITS + 2];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return sk_why(why, why_size, "%s %s is not a file", what, path);
	if (st.st_mode & 077)
		return sk_why(why, why_size, "%s %s may be read by others than its owner: chmod 600 it", what, path);
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return sk_why(why, why_size, "%s %s: %s", what, path, strerror(errno));
	bool good = (n == DIGITS || (n == DIGITS + 1 && text[DIGITS] == '\n')) && read_digits(text, key);
	OPENSSL_cleanse(text, sizeof(text));
	return good ? 0 : sk_why(why, why_size, "%s %s does not hold a key of %d hexadecimal digits", what, path, DIGITS);
}

/* Nothing is sealed with a key that may be gone after a power cut: its folder is synced too. */
static int sync_folder(const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	int fd, rc;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

static int write_key(int fd, const char *path, const uint8_t key[SK_SEAL_KEY])
{
	char text[DIGITS + 2];

	for (int i = 0; i < SK_SEAL_KEY; i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	text[DIGITS] = '\n';
	ssize_t n = write(fd, text, DIGITS + 1);
	OPENSSL_cleanse(text, sizeof(text));
	return n == DIGITS + 1 && !fsync(fd) ? sync_folder(path) : -1;
}

static int make_key(const char *what, const char *path, const uint8_t fresh[SK_SEAL_KEY], uint8_t key[SK_SEAL_KEY], char *why, size_t why_size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), rc;

	if (fd < 0)
		return sk_why(why, why_size, "%s %s: %s", what, path, strerror(errno));
	rc = fchmod(fd, 0600) || write_key(fd, path, fresh) ? sk_why(why, why_size, "%s %s: %s", what, path, strerror(errno)) : 0;
	close(fd);
	if (rc)
		unlink(path);
	else
		memcpy(key, fresh, SK_SEAL_KEY);
	return rc;
}

int sk_seal_open(const char *what, const char *path, const uint8_t fresh[SK_SEAL_KEY], uint8_t key[SK_SEAL_KEY], char *why, size_t why_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;

	if (fd < 0 && errno == ENOENT)
		return make_key(what, path, fresh, key, why, why_size);
	if (fd < 0)
		return sk_why(why, why_size, "%s %s: %s", what, path, strerror(errno));
	rc = read_key(fd, what, path, key, why, why_size);
	close(fd);
	return rc;
}

/* -- sealing -- */

int sk_seal_bytes(const uint8_t key[SK_SEAL_KEY], const uint8_t nonce[SK_SEAL_NONCE], const char *whose, void *bytes, size_t n)
{
	uint8_t *at = bytes;
	EVP_CIPHER_CTX *x = n <= INT_MAX ? EVP_CIPHER_CTX_new() : NULL;
	int part;
	bool done = x && EVP_EncryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, nonce) &&
	            EVP_EncryptUpdate(x, NULL, &part, (const uint8_t *)whose, (int)strlen(whose)) && EVP_EncryptUpdate(x, at, &part, at, (int)n) &&
	            EVP_EncryptFinal_ex(x, at + n, &part) && EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_GET_TAG, SK_SEAL_TAG, at + n);

	EVP_CIPHER_CTX_free(x);
	return done ? 0 : -1;
}

int sk_unseal_bytes(const uint8_t key[SK_SEAL_KEY], const uint8_t nonce[SK_SEAL_NONCE], const char *whose, void *bytes, size_t n)
{
	uint8_t *at = bytes;
	EVP_CIPHER_CTX *x = n <= INT_MAX ? EVP_CIPHER_CTX_new() : NULL;
	int part;
	bool good = x && EVP_DecryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, nonce) &&
	            EVP_DecryptUpdate(x, NULL, &part, (const uint8_t *)whose, (int)strlen(whose)) && EVP_DecryptUpdate(x, at, &part, at, (int)n) &&
	            EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_SET_TAG, SK_SEAL_TAG, at + n) && EVP_DecryptFinal_ex(x, at + n, &part) > 0;

	EVP_CIPHER_CTX_free(x);
	return good ? 0 : -1;
}

const char *sk_seal_text(struct sk_arena *a, const uint8_t key[SK_SEAL_KEY], const uint8_t nonce[SK_SEAL_NONCE], const char *whose, const char *text)
{
	size_t n = strlen(text), size = SK_SEAL_NONCE + n + SK_SEAL_TAG;
	uint8_t *raw = sk_alloc(a, size);
	char *sealed = sk_alloc_text(a, (size + 2) / 3 * 4 + 1);

	if (!raw || !sealed)
		return NULL;
	memcpy(raw, nonce, SK_SEAL_NONCE);
	memcpy(raw + SK_SEAL_NONCE, text, n);
	if (sk_seal_bytes(key, nonce, whose, raw + SK_SEAL_NONCE, n))
		return NULL;
	EVP_EncodeBlock((unsigned char *)sealed, raw, (int)size);
	return sealed;
}

/* How many bytes the text is; -1: it is no base64. */
static int decode(const char *sealed, uint8_t *raw)
{
	size_t n = strlen(sealed);
	int size = n && n % 4 == 0 ? EVP_DecodeBlock(raw, (const unsigned char *)sealed, (int)n) : -1;

	if (size < 0)
		return -1;
	return size - (sealed[n - 1] == '=') - (sealed[n - 2] == '=');
}

char *sk_seal_read(struct sk_arena *a, const uint8_t key[SK_SEAL_KEY], const char *whose, const char *sealed)
{
	uint8_t *raw = sk_alloc(a, strlen(sealed) + 4);
	int size = raw ? decode(sealed, raw) : -1, n = size - SK_SEAL_NONCE - SK_SEAL_TAG;

	if (n < 0 || sk_unseal_bytes(key, raw, whose, raw + SK_SEAL_NONCE, (size_t)n))
		return NULL;
	return sk_strndup(a, (const char *)raw + SK_SEAL_NONCE, (size_t)n);
}
