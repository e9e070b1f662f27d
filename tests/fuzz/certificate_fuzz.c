/* certificate_fuzz.c -- certificates and requests as clients send them, in DER and in PEM.
 *
 * Input: DER, or text when it begins with '-'. DER is read as it is and again as PEM, which must come to the same. What was read has the
 * SHA-256 of its own DER as its id, reads back the same from our PEM, and its facts are the list that certificate_facts.h describes; of
 * text that holds no certificate nothing is answered but a sentence. A request that may be signed is signed, and what comes out
 * is a certificate of that CA with the request's subject. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "plugins/auth/certificate_facts.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct certificate_ca *ca;
static const char *ca_pem;

static X509 *self_signed_ca(EVP_PKEY *key)
{
	static const unsigned char name[] = "fuzz";
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	X509 *x = X509_new();

	X509_set_version(x, X509_VERSION_3);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	ASN1_TIME_set(X509_getm_notBefore(x), 0);
	ASN1_TIME_set(X509_getm_notAfter(x), 2524607999);
	expect(X509_add_ext(x, e, -1) && X509_sign(x, key, EVP_sha256()));
	X509_EXTENSION_free(e);
	return x;
}

/* A CA of its own, made once; its file is gone when it has been opened. */
static void make_ca(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = self_signed_ca(key);
	char path[] = "/tmp/certificate_fuzz.XXXXXX", why[200];
	FILE *f = fdopen(mkstemp(path), "w");
	BIO *b = BIO_new(BIO_s_mem());

	expect(PEM_write_X509(f, x) && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) && !fclose(f));
	ca = certificate_ca_open(path, path, why, sizeof why);
	expect(ca && PEM_write_bio_X509(b, x) && BIO_write(b, "", 1) == 1 && BIO_get_mem_data(b, &ca_pem) > 0);
	ca_pem = strdup(ca_pem);
	remove(path);
	BIO_free(b);
	X509_free(x);
	EVP_PKEY_free(key);
}

static char *pem_of_der(const uint8_t *data, size_t size, const char *kind)
{
	char *pem = malloc(size / 3 * 4 + size / 48 + 200), *to = pem + sprintf(pem, "-----BEGIN %s-----\n", kind);

	for (size_t at = 0; at < size; at += 48) {
		to += EVP_EncodeBlock((unsigned char *)to, data + at, size - at < 48 ? (int)(size - at) : 48);
		*to++ = '\n';
	}
	sprintf(to, "-----END %s-----\n", kind);
	return pem;
}

/* Names and values end by themselves and hold no control characters; each name is there once, and item 0 is the name's own value. */
static void check_facts(const char *facts, size_t size)
{
	const char *at = facts;

	while (*at) {
		const char *name = at, *value = name + strlen(name) + 1;
		char first[120];
		expect((size_t)(value - facts) < size && facts_value(facts, name) == value);
		expect(*value && sk_utf8_valid(value, strlen(value)) && !strpbrk(value, "\n\r\t\177"));
		snprintf(first, sizeof first, "%s.List.0", name);
		expect(!facts_value(facts, first) || !strcmp(facts_value(facts, first), value));
		at = value + strlen(value) + 1;
	}
	expect(at + 1 == facts + size);
}

static void check_read(struct sk_arena *a, const char *pem)
{
	struct certificate one, again;
	char why[200] = "";

	if (certificate_read(a, pem, &one, why, sizeof why)) {
		expect(*why && !one.pem);
		return;
	}
	uint8_t id[CERTIFICATE_ID_SIZE];
	expect(one.pem && certificate_id_read(one.id, id));
	expect(!certificate_read(a, one.pem, &again, why, sizeof why) && !strcmp(one.id, again.id) && !strcmp(one.pem, again.pem));
	expect(one.not_before_ms == again.not_before_ms && one.not_after_ms == again.not_after_ms && one.self_signed == again.self_signed);
	expect(facts_of_pem(a, one.pem));
	expect(!certificate_signed_by(pem, ca_pem)); /* nobody has its key */
}

static void check_request(struct sk_arena *a, const char *csr)
{
	struct certificate made;
	char why[200] = "";
	bool usable = !certificate_request_check(csr, why, sizeof why);
	const char *pem = certificate_from_csr(a, ca, 1700000000000, csr, "salt");

	expect(usable == !*why && (pem || !usable) && !(pem && !usable));
	if (pem)
		expect(!certificate_read(a, pem, &made, why, sizeof why) && certificate_signed_by(pem, ca_pem) && !certificate_is_ca(pem));
}

static void check_der(struct sk_arena *a, const uint8_t *data, size_t size)
{
	char *pem = pem_of_der(data, size, "CERTIFICATE"), *csr = pem_of_der(data, size, "CERTIFICATE REQUEST"), hex[CERTIFICATE_HEX_SIZE + 1];
	size_t n = 0;
	const char *facts = facts_of_der(a, data, size, &n), *other = facts_of_pem(a, pem);
	struct certificate c;
	char why[200];
	uint8_t id[CERTIFICATE_ID_SIZE];

	expect(!facts == !other);
	if (facts) {
		check_facts(facts, n);
		check_facts(other, n);
		expect(!memcmp(facts, other, n));
	}
	certificate_id_of(data, size, id);
	certificate_id_print(id, hex);
	if (!certificate_read(a, pem, &c, why, sizeof why))
		expect(facts && strlen(c.id) == strlen(hex));
	check_read(a, pem);
	check_request(a, csr);
	free(pem);
	free(csr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sk_arena a = { 0 };
	char *text = calloc(1, size + 1);

	if (!ca_pem)
		make_ca();
	memcpy(text, data, size);
	if (size && *data == '-') {
		check_read(&a, text);
		check_request(&a, text);
		expect(!facts_of_pem(&a, text) || strstr(text, "CERTIFICATE-----"));
	} else if (size) {
		check_der(&a, data, size);
	}
	sk_arena_free(&a);
	free(text);
	return 0;
}
