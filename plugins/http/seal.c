/* seal.c -- see seal.h. The file is 64 hexadecimal digits and a line's end. */
#include "plugins/http/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/why.h"

enum { TAG = 16, DIGITS = 2 * SEAL_KEY };

/* -- the file -- */

static int value_of(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool read_digits(const char *text, uint8_t key[SEAL_KEY])
{
	for (int i = 0; i < SEAL_KEY; i++) {
		int high = value_of(text[2 * i]), low = value_of(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int read_key(int fd, const char *path, uint8_t key[SEAL_KEY], char *why, size_t why_size)
{
	char text[DIGITS + 2];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return sk_why(why, why_size, "plugin_opt_key_file %s is not a file", path);
	if (st.st_mode & 077)
		return sk_why(why, why_size, "plugin_opt_key_file %s may be read by others than its owner: chmod 600 it", path);
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return sk_why(why, why_size, "plugin_opt_key_file %s: %s", path, strerror(errno));
	bool good = (n == DIGITS || (n == DIGITS + 1 && text[DIGITS] == '\n')) && read_digits(text, key);
	OPENSSL_cleanse(text, sizeof(text));
	return good ? 0 : sk_why(why, why_size, "plugin_opt_key_file %s does not hold a key of %d hexadecimal digits", path, DIGITS);
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

static int write_key(int fd, const char *path, const uint8_t key[SEAL_KEY])
{
	char text[DIGITS + 2];

	for (int i = 0; i < SEAL_KEY; i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	text[DIGITS] = '\n';
	ssize_t n = write(fd, text, DIGITS + 1);
	OPENSSL_cleanse(text, sizeof(text));
	return n == DIGITS + 1 && !fsync(fd) ? sync_folder(path) : -1;
}

static int make_key(const char *path, const uint8_t fresh[SEAL_KEY], uint8_t key[SEAL_KEY], char *why, size_t why_size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), rc;

	if (fd < 0)
		return sk_why(why, why_size, "plugin_opt_key_file %s: %s", path, strerror(errno));
	rc = fchmod(fd, 0600) || write_key(fd, path, fresh) ? sk_why(why, why_size, "plugin_opt_key_file %s: %s", path, strerror(errno)) : 0;
	close(fd);
	if (rc)
		unlink(path);
	else
		memcpy(key, fresh, SEAL_KEY);
	return rc;
}

int seal_open(const char *path, const uint8_t fresh[SEAL_KEY], uint8_t key[SEAL_KEY], char *why, size_t why_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;

	if (fd < 0 && errno == ENOENT)
		return make_key(path, fresh, key, why, why_size);
	if (fd < 0)
		return sk_why(why, why_size, "plugin_opt_key_file %s: %s", path, strerror(errno));
	rc = read_key(fd, path, key, why, why_size);
	close(fd);
	return rc;
}

/* -- sealing -- */

const char *seal_text(struct sk_arena *a, const uint8_t key[SEAL_KEY], const uint8_t nonce[SEAL_NONCE], const char *whose, const char *text)
{
	int n = (int)strlen(text), size = SEAL_NONCE + n + TAG, part;
	uint8_t *raw = sk_alloc(a, (size_t)size);
	char *sealed = sk_alloc_text(a, (size_t)(size + 2) / 3 * 4 + 1);
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	bool done = raw && sealed && x && EVP_EncryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, nonce) &&
	            EVP_EncryptUpdate(x, NULL, &part, (const uint8_t *)whose, (int)strlen(whose)) &&
	            EVP_EncryptUpdate(x, raw + SEAL_NONCE, &part, (const uint8_t *)text, n) &&
	            EVP_EncryptFinal_ex(x, raw + SEAL_NONCE + n, &part) && EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_GET_TAG, TAG, raw + SEAL_NONCE + n);

	EVP_CIPHER_CTX_free(x);
	if (!done)
		return NULL;
	memcpy(raw, nonce, SEAL_NONCE);
	EVP_EncodeBlock((unsigned char *)sealed, raw, size);
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

char *seal_read(struct sk_arena *a, const uint8_t key[SEAL_KEY], const char *whose, const char *sealed)
{
	uint8_t *raw = sk_alloc(a, strlen(sealed) + 4);
	int size = raw ? decode(sealed, raw) : -1, n = size - SEAL_NONCE - TAG, part;
	char *text = n >= 0 ? sk_alloc_text(a, (size_t)n + 1) : NULL;
	EVP_CIPHER_CTX *x = text ? EVP_CIPHER_CTX_new() : NULL;
	bool good = x && EVP_DecryptInit_ex(x, EVP_aes_256_gcm(), NULL, key, raw) &&
	            EVP_DecryptUpdate(x, NULL, &part, (const uint8_t *)whose, (int)strlen(whose)) &&
	            EVP_DecryptUpdate(x, (uint8_t *)text, &part, raw + SEAL_NONCE, n) &&
	            EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_SET_TAG, TAG, raw + SEAL_NONCE + n) && EVP_DecryptFinal_ex(x, (uint8_t *)text + n, &part) > 0;

	EVP_CIPHER_CTX_free(x);
	if (!good)
		return NULL;
	text[n] = 0;
	return text;
}
