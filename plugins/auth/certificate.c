/* certificate.c -- see certificate.h. Everything that OpenSSL made is freed where it was made; only text leaves. */
#include "plugins/auth/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/digest.h"
#include "core/why.h"

struct certificate_ca {
	X509 *certificate;
	EVP_PKEY *key;
};

bool certificate_starved(void)
{
	bool starved = false;

	for (unsigned long e; (e = ERR_get_error());)
		starved = starved || ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
	return starved;
}

/* -- ids -- */

void certificate_id_of(const unsigned char *der, size_t n, uint8_t id[CERTIFICATE_ID_SIZE])
{
	sk_digest(der, n, id);
}

void certificate_id_print(const uint8_t id[CERTIFICATE_ID_SIZE], char hex[CERTIFICATE_HEX_SIZE + 1])
{
	sk_hex(id, CERTIFICATE_ID_SIZE, hex);
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 32;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool certificate_id_read(const char *hex, uint8_t id[CERTIFICATE_ID_SIZE])
{
	if (!hex)
		return false;
	for (size_t i = 0; i < CERTIFICATE_ID_SIZE; i++) {
		int high = nibble(hex[2 * i]);
		int low = high < 0 ? -1 : nibble(hex[2 * i + 1]);
		if (low < 0)
			return false;
		if (id)
			id[i] = (uint8_t)(high << 4 | low);
	}
	return !hex[CERTIFICATE_HEX_SIZE];
}

/* -- reading -- */

static int64_t ms_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) * 1000 : 0;
}

/* What was written to a memory BIO, as text. */
static const char *text_of(struct sk_arena *a, BIO *b)
{
	char *data;
	long n = BIO_get_mem_data(b, &data);

	return n > 0 ? sk_strndup(a, data, (size_t)n) : NULL;
}

static const char *pem_of(struct sk_arena *a, X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	const char *text = b && PEM_write_bio_X509(b, x) ? text_of(a, b) : NULL;

	BIO_free(b);
	return text;
}

static int id_of_x509(X509 *x, uint8_t id[CERTIFICATE_ID_SIZE])
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	if (n <= 0)
		return -1;
	certificate_id_of(der, (size_t)n, id);
	OPENSSL_free(der);
	return 0;
}

static int describe(struct sk_arena *a, X509 *x, struct certificate *out)
{
	uint8_t id[CERTIFICATE_ID_SIZE];

	out->pem = pem_of(a, x);
	if (!out->pem || id_of_x509(x, id))
		return -1;
	certificate_id_print(id, out->id);
	out->not_before_ms = ms_of(X509_get0_notBefore(x));
	out->not_after_ms = ms_of(X509_get0_notAfter(x));
	out->self_signed = X509_self_signed(x, 1) == 1;
	out->subject_hash = X509_subject_name_hash(x);
	return 0;
}

static X509 *only_certificate(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, (void *)"") : NULL;
	X509 *more = x ? PEM_read_bio_X509(b, NULL, NULL, (void *)"") : NULL;

	if (more) {
		X509_free(x);
		x = NULL;
	}
	X509_free(more);
	BIO_free(b);
	ERR_clear_error();
	return x;
}

int certificate_id_of_pem(const char *pem, char hex[CERTIFICATE_HEX_SIZE + 1])
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	uint8_t id[CERTIFICATE_ID_SIZE];
	long n = 0;
	int rc = b && PEM_read_bio(b, &name, &header, &der, &n) && !strcmp(name, PEM_STRING_X509) ? 0 : -1;

	if (!rc) {
		certificate_id_of(der, (size_t)n, id);
		certificate_id_print(id, hex);
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(b);
	ERR_clear_error();
	return rc;
}

int certificate_read(struct sk_arena *a, const char *pem, struct certificate *out, char *why, size_t why_size)
{
	X509 *x = only_certificate(pem);
	int rc = 0;

	*out = (struct certificate){ 0 };
	if (!x)
		return sk_why(why, why_size, "The certificate could not be parsed: it must be one X.509 certificate in PEM encoding");
	if (!X509_get0_pubkey(x))
		rc = sk_why(why, why_size, "The certificate's public key is of no known kind");
	else if (describe(a, x, out))
		rc = sk_why(why, why_size, "The certificate could not be encoded");
	X509_free(x);
	ERR_clear_error();
	return rc;
}

/* -- the local CA -- */

static X509 *file_certificate(const char *path)
{
	FILE *f = fopen(path, "re");
	X509 *x = f ? PEM_read_X509(f, NULL, NULL, (void *)"") : NULL;

	if (f)
		fclose(f);
	return x;
}

static EVP_PKEY *file_key(const char *path)
{
	FILE *f = fopen(path, "re");
	EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, (void *)"") : NULL;

	if (f)
		fclose(f);
	return key;
}

static int ca_check(const struct certificate_ca *ca, const char *certificate_file, const char *key_file, char *why, size_t why_size)
{
	if (!ca->certificate)
		return sk_why(why, why_size, "ca_cert %s is not a readable PEM certificate", certificate_file);
	if (!ca->key)
		return sk_why(why, why_size, "ca_key %s is not a readable PEM key", key_file);
	if (X509_check_private_key(ca->certificate, ca->key) != 1)
		return sk_why(why, why_size, "ca_key %s does not belong to ca_cert %s", key_file, certificate_file);
	if (X509_check_ca(ca->certificate) == 0)
		return sk_why(why, why_size, "ca_cert %s is not the certificate of a CA", certificate_file);
	return 0;
}

struct certificate_ca *certificate_ca_open(const char *certificate_file, const char *key_file, char *why, size_t why_size)
{
	struct certificate_ca *ca = calloc(1, sizeof(*ca));

	if (!ca) {
		sk_why(why, why_size, "memory is out");
		return NULL;
	}
	ca->certificate = file_certificate(certificate_file);
	ca->key = file_key(key_file);
	if (ca_check(ca, certificate_file, key_file, why, why_size))
		certificate_ca_free(&ca);
	ERR_clear_error();
	return ca;
}

void certificate_ca_free(struct certificate_ca **ca)
{
	if (!*ca)
		return;
	X509_free((*ca)->certificate);
	EVP_PKEY_free((*ca)->key);
	free(*ca);
	*ca = NULL;
}

/* -- making -- */

/* 2049-12-31T23:59:59Z, the last moment that AWS's own certificates are valid. */
#define END_OF_2049 2524607999

static bool set_times(X509 *x, int64_t now_ms)
{
	/* Two minutes for devices whose clock is behind. */
	return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(now_ms / 1000 - 120)) && ASN1_TIME_set(X509_getm_notAfter(x), END_OF_2049);
}

/* From the key, and for a key that may come again from chance. */
static bool set_serial(X509 *x, const char *salt)
{
	unsigned char digest[EVP_MAX_MD_SIZE + 64];
	unsigned int size;
	BIGNUM *n;
	bool ok;

	if (!X509_pubkey_digest(x, EVP_sha256(), digest, &size))
		return false;
	snprintf((char *)digest + size, 64, "%s", salt);
	sk_digest(digest, size + strlen((char *)digest + size), digest);
	digest[0] &= 0x7f; /* positive, and at most 20 octets: RFC 5280 section 4.1.2.2 */
	n = BN_bin2bn(digest, 20, NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

/* "A certificate from a CSR has the CSR's subject." */
static bool set_names(X509 *x, const struct certificate_ca *ca, X509_NAME *subject)
{
	static const unsigned char ours[] = "Skeeter IoT Certificate";
	bool named = subject ? X509_set_subject_name(x, subject) :
	                       X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, ours, -1, -1, 0);

	return named && X509_set_issuer_name(x, X509_get_subject_name(ca->certificate));
}

static bool set_extensions(X509 *x, const struct certificate_ca *ca)
{
	static const struct {
		int nid;
		const char *value;
	} rows[] = {
		{ NID_authority_key_identifier, "keyid" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
	};
	X509V3_CTX context;

	X509V3_set_ctx(&context, ca->certificate, x, NULL, NULL, 0);
	/* A CA without a key identifier has none that could be repeated. */
	for (size_t i = X509_get0_subject_key_id(ca->certificate) ? 0 : 1; i < sizeof(rows) / sizeof(rows[0]); i++) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, rows[i].nid, rows[i].value);
		int ok = e && X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
		if (!ok)
			return false;
	}
	return true;
}

/* Ed25519 and Ed448 keys sign without a digest of their own. */
static const EVP_MD *digest_for(EVP_PKEY *key)
{
	int nid = 0;

	return EVP_PKEY_get_default_digest_nid(key, &nid) == 2 && nid == NID_undef ? NULL : EVP_sha256();
}

struct wanted {
	EVP_PKEY *key;
	X509_NAME *subject; /* NULL: ours */
	const char *salt;
	int64_t now_ms;
};

/* OpenSSL 3.0 has been seen to sign with nothing when memory was out: only what verifies leaves. */
static X509 *sign(const struct certificate_ca *ca, const struct wanted *w)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, X509_VERSION_3) && X509_set_pubkey(x, w->key) && set_serial(x, w->salt) && set_times(x, w->now_ms) &&
	    set_names(x, ca, w->subject) && set_extensions(x, ca) && X509_sign(x, ca->key, digest_for(ca->key)) && X509_verify(x, ca->key) == 1)
		return x;
	X509_free(x);
	return NULL;
}

static const char *private_text(struct sk_arena *a, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_secmem());
	const char *text = b && PEM_write_bio_PrivateKey_traditional(b, key, NULL, NULL, 0, NULL, NULL) ? text_of(a, b) : NULL;

	BIO_free(b);
	return text;
}

static const char *public_text(struct sk_arena *a, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	const char *text = b && PEM_write_bio_PUBKEY(b, key) ? text_of(a, b) : NULL;

	BIO_free(b);
	return text;
}

int certificate_make(struct sk_arena *a, const struct certificate_ca *ca, int64_t now_ms, struct certificate_pair *out,
                     char *why, size_t why_size)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct wanted w = { .key = key, .salt = "", .now_ms = now_ms };
	X509 *x = key ? sign(ca, &w) : NULL;

	*out = (struct certificate_pair){ 0 };
	if (x) {
		out->pem = pem_of(a, x);
		out->public_key = public_text(a, key);
		out->private_key = private_text(a, key);
	}
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (out->pem && out->public_key && out->private_key)
		return 0;
	return sk_why(why, why_size, "The key and certificate could not be made");
}

/* -- of a certificate signing request -- */

/* "The CSR must include a public key that is an RSA key of at least 2048 bits or an ECC key of NIST P-256, P-384 or P-521." */
static const char *key_fault(EVP_PKEY *key)
{
	static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };
	char curve[64] = "";

	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) >= 2048 ? NULL : "its RSA key has less than 2048 bits";
	if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL))
		return "its key must be RSA, or EC of P-256, P-384 or P-521";
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (!strcmp(curve, curves[i]))
			return NULL;
	return "its EC key must be of P-256, P-384 or P-521";
}

static const char *request_fault(X509_REQ *request)
{
	EVP_PKEY *key = request ? X509_REQ_get0_pubkey(request) : NULL;

	if (!key)
		return "it must be one PKCS #10 request in PEM encoding";
	if (X509_REQ_verify(request, key) != 1)
		return "it is not signed with its own key";
	return key_fault(key);
}

static X509_REQ *request_of(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509_REQ *request = b ? PEM_read_bio_X509_REQ(b, NULL, NULL, (void *)"") : NULL;

	BIO_free(b);
	return request;
}

int certificate_request_check(const char *csr, char *why, size_t why_size)
{
	X509_REQ *request = request_of(csr);
	const char *fault = request_fault(request);

	X509_REQ_free(request);
	ERR_clear_error();
	return fault ? sk_why(why, why_size, "The certificate signing request is not usable: %s", fault) : 0;
}

const char *certificate_from_csr(struct sk_arena *a, const struct certificate_ca *ca, int64_t now_ms, const char *csr, const char *salt)
{
	X509_REQ *request = request_of(csr);
	const char *pem = NULL;

	if (!request_fault(request)) {
		struct wanted w = { X509_REQ_get0_pubkey(request), X509_REQ_get_subject_name(request), salt, now_ms };
		X509 *x = sign(ca, &w);
		pem = x ? pem_of(a, x) : NULL;
		X509_free(x);
	}
	X509_REQ_free(request);
	ERR_clear_error();
	return pem;
}

/* -- who signed whom -- */

bool certificate_is_ca(const char *pem)
{
	X509 *x = only_certificate(pem);
	bool is = x && X509_check_ca(x) == 1;

	X509_free(x);
	ERR_clear_error();
	return is;
}

bool certificate_signed_by(const char *pem, const char *ca_pem)
{
	X509 *x = only_certificate(pem), *ca = only_certificate(ca_pem);
	bool is = x && ca && X509_check_issued(ca, x) == X509_V_OK && X509_verify(x, X509_get0_pubkey(ca)) == 1;

	X509_free(x);
	X509_free(ca);
	ERR_clear_error();
	return is;
}
