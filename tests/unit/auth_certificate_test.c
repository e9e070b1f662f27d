/* auth_certificate_test.c -- PEM in, ids and dates out; new pairs verified with OpenSSL; the capath folder without gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "plugins/auth/certificate.h"
#include "plugins/auth/trust.h"

static char folder[] = "/tmp/auth-certificate-test-XXXXXX";
static char ca_file[80], key_file[80], other_key_file[80], leaf_file[80];
static struct sk_arena arena;

/* -- making certificates for the tests -- */

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

static X509 *new_certificate(EVP_PKEY *key, const char *name, bool ca, int serial)
{
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	ASN1_TIME_set(X509_getm_notBefore(x), 1700000000);
	ASN1_TIME_set(X509_getm_notAfter(x), 1900000000);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	assert_true(X509_sign(x, key, EVP_sha256()));
	return x;
}

static char *pem_of(X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *data, *copy;
	long n;

	PEM_write_bio_X509(b, x);
	n = BIO_get_mem_data(b, &data);
	copy = strndup(data, (size_t)n);
	BIO_free(b);
	return copy;
}

/* Freed by the caller. */
static char *self_signed(const char *name, int serial)
{
	EVP_PKEY *key = new_key();
	X509 *x = new_certificate(key, name, false, serial);
	char *pem = pem_of(x);

	X509_free(x);
	EVP_PKEY_free(key);
	return pem;
}

static void write_pair(const char *certificate_path, const char *key_path, bool ca)
{
	EVP_PKEY *key = new_key();
	X509 *x = new_certificate(key, "test CA", ca, 1);
	FILE *f = fopen(certificate_path, "w");

	PEM_write_X509(f, x);
	fclose(f);
	f = fopen(key_path, "w");
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	X509_free(x);
	EVP_PKEY_free(key);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(ca_file, sizeof(ca_file), "%s/ca.crt", folder);
	snprintf(key_file, sizeof(key_file), "%s/ca.key", folder);
	snprintf(leaf_file, sizeof(leaf_file), "%s/leaf.crt", folder);
	snprintf(other_key_file, sizeof(other_key_file), "%s/other.key", folder);
	write_pair(ca_file, key_file, true);
	write_pair(leaf_file, other_key_file, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(ca_file);
	unlink(key_file);
	unlink(leaf_file);
	unlink(other_key_file);
	sk_arena_free(&arena);
	return rmdir(folder);
}

/* -- ids -- */

static void ids_are_64_hex_digits(void **state)
{
	const char *good = "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100";
	uint8_t id[32];
	char hex[65], cut[65];

	(void)state;
	assert_true(certificate_id_read(good, id));
	assert_int_equal(id[15], 0xff);
	certificate_id_print(id, hex);
	assert_string_equal(hex, "00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100");
	for (size_t n = 0; n < 64; n++) {
		snprintf(cut, sizeof(cut), "%.*s", (int)n, good);
		assert_false(certificate_id_read(cut, id));
	}
	assert_false(certificate_id_read(NULL, id));
	assert_false(certificate_id_read("00112233445566778899aabbccddeeffFFEEDDCCBBAA998877665544332211000", NULL));
	assert_false(certificate_id_read("g0112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100", NULL));
	assert_true(certificate_id_read(good, NULL));
}

/* -- reading -- */

static void a_certificate_is_read_in_any_line_breaks(void **state)
{
	char *pem = self_signed("lamp", 7), wide[3000], *at = wide, why[200];
	struct certificate x, y;
	uint8_t id[32];

	(void)state;
	assert_int_equal(certificate_read(&arena, pem, &x, why, sizeof(why)), 0);
	assert_true(certificate_id_read(x.id, id));
	assert_string_equal(x.pem, pem);
	assert_true(x.self_signed);
	assert_int_equal(x.not_before_ms, 1700000000000);
	assert_int_equal(x.not_after_ms, 1900000000000);
	for (const char *s = pem; *s; s++) {
		if (*s == '\n')
			*at++ = '\r';
		*at++ = *s;
	}
	*at = 0;
	assert_int_equal(certificate_read(&arena, wide, &y, why, sizeof(why)), 0);
	assert_string_equal(x.id, y.id);
	assert_string_equal(x.pem, y.pem);
	free(pem);
}

static void what_is_not_one_certificate_is_refused(void **state)
{
	char *pem = self_signed("lamp", 8), two[4000], broken[2000], why[200];
	const char *bad[] = { "", "lamp", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", two, broken };
	struct certificate x;

	(void)state;
	snprintf(two, sizeof(two), "%s%s", pem, pem);
	snprintf(broken, sizeof(broken), "%s", pem);
	memset(broken + 100, 'A', 60);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(certificate_read(&arena, bad[i], &x, why, sizeof(why)), -1);
		assert_string_equal(why, "The certificate could not be parsed: it must be one X.509 certificate in PEM encoding");
	}
	free(pem);
}

static void every_truncation_and_flip_is_survived(void **state)
{
	char *pem = self_signed("lamp", 9), why[200];
	struct certificate x;
	int refused = 0;

	(void)state;
	for (size_t i = 0; i < strlen(pem); i++) {
		char was = pem[i];
		pem[i] = (char)(was ^ 4);
		refused += certificate_read(&arena, pem, &x, why, sizeof(why)) != 0;
		pem[i] = was;
		sk_arena_reset(&arena, 65536);
	}
	for (size_t n = strlen(pem) - 2; n > 0; n--) {
		pem[n] = 0;
		assert_int_equal(certificate_read(&arena, pem, &x, why, sizeof(why)), -1);
	}
	assert_true(refused > 50);
	free(pem);
}

/* -- the CA -- */

static void a_ca_that_cannot_sign_is_refused_with_the_reason(void **state)
{
	struct {
		const char *certificate, *key, *why;
	} rows[] = {
		{ "/nowhere", key_file, "ca_cert /nowhere is not a readable PEM certificate" },
		{ ca_file, "/nowhere", "ca_key /nowhere is not a readable PEM key" },
		{ key_file, key_file, "ca_cert %s is not a readable PEM certificate" },
		{ ca_file, other_key_file, "ca_key %s does not belong to ca_cert %s" },
		{ leaf_file, other_key_file, "ca_cert %s is not the certificate of a CA" },
	};
	char why[300], wanted[300];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *first = i == 3 ? rows[i].key : rows[i].certificate;
		assert_null(certificate_ca_open(rows[i].certificate, rows[i].key, why, sizeof(why)));
		snprintf(wanted, sizeof(wanted), i < 2 ? "%.0s%.0s" : rows[i].why, first, rows[i].certificate);
		assert_string_equal(why, i < 2 ? rows[i].why : wanted);
	}
}

static X509 *read_pem(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	assert_non_null(x);
	return x;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);

	BIO_free(b);
	assert_non_null(key);
	return key;
}

static void a_new_pair_verifies_against_its_ca(void **state)
{
	char why[200];
	struct certificate_ca *ca = certificate_ca_open(ca_file, key_file, why, sizeof(why));
	struct certificate_pair pair, second;
	struct certificate x;

	(void)state;
	assert_non_null(ca);
	assert_int_equal(certificate_make(&arena, ca, 1750000000000, &pair, why, sizeof(why)), 0);
	assert_int_equal(certificate_make(&arena, ca, 1750000000000, &second, why, sizeof(why)), 0);
	assert_string_not_equal(pair.pem, second.pem);
	assert_int_equal(strncmp(pair.private_key, "-----BEGIN RSA PRIVATE KEY-----\n", 32), 0);
	assert_int_equal(strncmp(pair.public_key, "-----BEGIN PUBLIC KEY-----\n", 27), 0);
	assert_int_equal(certificate_read(&arena, pair.pem, &x, why, sizeof(why)), 0);
	assert_false(x.self_signed);
	assert_int_equal(x.not_before_ms, 1749999880000);
	assert_int_equal(x.not_after_ms, 2524607999000);

	X509 *leaf = read_pem(pair.pem);
	EVP_PKEY *key = read_key(pair.private_key);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	assert_int_equal(X509_check_private_key(leaf, key), 1);
	assert_int_equal(EVP_PKEY_get_bits(key), 2048);
	assert_int_equal(X509_STORE_load_file(store, ca_file), 1);
	assert_int_equal(X509_STORE_CTX_init(context, store, leaf, NULL), 1);
	X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT);
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context), 1750000000);
	if (X509_verify_cert(context) != 1)
		fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	EVP_PKEY_free(key);
	X509_free(leaf);
	certificate_ca_free(&ca);
	assert_null(ca);
}

/* -- the capath folder -- */

static void read_file(const struct certificate *x, unsigned number, char *text, size_t size)
{
	char path[120];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%08lx.%u", folder, x->subject_hash, number);
	f = fopen(path, "r");
	text[f ? fread(text, 1, size - 1, f) : 0] = 0;
	if (f)
		fclose(f);
}

static void files_of_one_subject_are_numbered_without_a_gap(void **state)
{
	char *pem[3], text[3000], why[300];
	struct certificate x[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		pem[i] = self_signed("the same subject", 20 + i);
		assert_int_equal(certificate_read(&arena, pem[i], &x[i], why, sizeof(why)), 0);
		for (int again = 0; again < 2; again++)
			assert_int_equal(trust_add(folder, &x[i], why, sizeof(why)), 0);
		read_file(&x[i], (unsigned)i, text, sizeof(text));
		assert_string_equal(text, pem[i]);
	}
	read_file(&x[0], 3, text, sizeof(text));
	assert_string_equal(text, "");
	/* The first goes: the last takes its number. */
	for (int again = 0; again < 2; again++)
		assert_int_equal(trust_remove(folder, &x[0], why, sizeof(why)), 0);
	read_file(&x[0], 0, text, sizeof(text));
	assert_string_equal(text, pem[2]);
	read_file(&x[0], 1, text, sizeof(text));
	assert_string_equal(text, pem[1]);
	read_file(&x[0], 2, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(trust_remove(folder, &x[2], why, sizeof(why)), 0);
	assert_int_equal(trust_remove(folder, &x[1], why, sizeof(why)), 0);
	read_file(&x[0], 0, text, sizeof(text));
	assert_string_equal(text, "");
	for (int i = 0; i < 3; i++)
		free(pem[i]);
}

static void a_folder_that_cannot_be_written_says_so(void **state)
{
	char *pem = self_signed("lamp", 30), why[300];
	struct certificate x;

	(void)state;
	assert_int_equal(certificate_read(&arena, pem, &x, why, sizeof(why)), 0);
	assert_int_equal(trust_add("/nowhere", &x, why, sizeof(why)), -1);
	assert_string_equal(why, "capath /nowhere: No such file or directory");
	assert_int_equal(trust_remove("/nowhere", &x, why, sizeof(why)), 0);
	free(pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_64_hex_digits),
		cmocka_unit_test(a_certificate_is_read_in_any_line_breaks),
		cmocka_unit_test(what_is_not_one_certificate_is_refused),
		cmocka_unit_test(every_truncation_and_flip_is_survived),
		cmocka_unit_test(a_ca_that_cannot_sign_is_refused_with_the_reason),
		cmocka_unit_test(a_new_pair_verifies_against_its_ca),
		cmocka_unit_test(files_of_one_subject_are_numbered_without_a_gap),
		cmocka_unit_test(a_folder_that_cannot_be_written_says_so),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
