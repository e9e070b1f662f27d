/* certificate_facts.c -- see certificate_facts.h. */
#include "plugins/auth/certificate_facts.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"

enum { ITEMS = 5, LONGEST = 1024 };

struct facts {
	struct sk_arena *arena;
	char *text;
	size_t size, room;
};

const char *facts_value(const char *facts, const char *name)
{
	while (facts && *facts) {
		const char *value = facts + strlen(facts) + 1;
		if (!strcmp(facts, name))
			return value;
		facts = value + strlen(value) + 1;
	}
	return NULL;
}

static void append(struct facts *f, const char *text, size_t n)
{
	if (f->size + n + 1 > f->room) {
		size_t room = 2 * (f->size + n + 1) + 512;
		char *more = sk_alloc_text(f->arena, room);
		if (!more)
			return;
		if (f->size)
			memcpy(more, f->text, f->size);
		f->text = more;
		f->room = room;
	}
	memcpy(f->text + f->size, text, n);
	f->size += n;
	f->text[f->size++] = 0;
}

static size_t characters(const char *text, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static bool usable(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 127)
			return false;
	return n && characters(text, n) <= LONGEST && sk_utf8_valid(text, n);
}

static void add(struct facts *f, const char *name, const char *value, size_t n)
{
	if (!usable(value, n))
		return;
	append(f, name, strlen(name));
	append(f, value, n);
}

/* The item-th value of a name, counted from 0: the first one is the name's own too. */
static void add_item(struct facts *f, const char *name, int item, const char *value, size_t n)
{
	char numbered[100];

	if (item >= ITEMS)
		return;
	if (!item)
		add(f, name, value, n);
	snprintf(numbered, sizeof(numbered), "%s.List.%d", name, item);
	add(f, numbered, value, n);
}

/* -- names -- */

static const struct {
	int nid;
	const char *name;
} fields[] = {
	{ NID_dnQualifier, "DistinguishedNameQualifier" }, { NID_countryName, "Country" }, { NID_organizationName, "Organization" },
	{ NID_organizationalUnitName, "OrganizationalUnit" }, { NID_stateOrProvinceName, "State" }, { NID_localityName, "Locality" },
	{ NID_commonName, "CommonName" }, { NID_serialNumber, "SerialNumber" }, { NID_title, "Title" }, { NID_surname, "Surname" },
	{ NID_givenName, "GivenName" }, { NID_initials, "Initials" }, { NID_pseudonym, "Pseudonym" },
	{ NID_generationQualifier, "GenerationQualifier" },
};

static void add_field(struct facts *f, const char *side, X509_NAME *name, size_t field)
{
	char full[80];

	snprintf(full, sizeof(full), "%s.%s", side, fields[field].name);
	for (int at = -1, item = 0; (at = X509_NAME_get_index_by_NID(name, fields[field].nid, at)) >= 0; item++) {
		unsigned char *text = NULL;
		int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
		if (n > 0)
			add_item(f, full, item, (const char *)text, (size_t)n);
		OPENSSL_free(text);
	}
}

static void add_name(struct facts *f, const char *side, X509_NAME *name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		add_field(f, side, name, i);
}

/* -- alternative names -- */

static const struct {
	int type;
	const char *name;
} alternatives[] = {
	{ GEN_EMAIL, "RFC822Name" }, { GEN_DNS, "DNSName" }, { GEN_DIRNAME, "DirectoryName" }, { GEN_URI, "UniformResourceIdentifier" },
	{ GEN_IPADD, "IPAddress" },
};

static void add_directory(struct facts *f, const char *name, int item, X509_NAME *directory)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text;

	if (b && X509_NAME_print_ex(b, directory, 0, XN_FLAG_RFC2253) >= 0) {
		long n = BIO_get_mem_data(b, &text);
		if (n > 0)
			add_item(f, name, item, text, (size_t)n);
	}
	BIO_free(b);
}

static void add_alternative(struct facts *f, const char *name, int item, const GENERAL_NAME *g)
{
	char text[64];
	const ASN1_STRING *value;
	int size;

	if (g->type == GEN_DIRNAME) {
		add_directory(f, name, item, g->d.directoryName);
		return;
	}
	value = g->type == GEN_IPADD ? g->d.iPAddress : g->d.ia5;
	size = ASN1_STRING_length(value);
	if (g->type != GEN_IPADD)
		add_item(f, name, item, (const char *)ASN1_STRING_get0_data(value), (size_t)size);
	else if ((size == 4 || size == 16) && inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), text, sizeof(text)))
		add_item(f, name, item, text, strlen(text));
}

static void add_alternatives(struct facts *f, const char *side, X509 *x, int extension)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, extension, NULL, NULL);

	for (size_t i = 0; i < sizeof(alternatives) / sizeof(alternatives[0]); i++) {
		char full[80];
		int item = 0;
		snprintf(full, sizeof(full), "%s.AlternativeName.%s", side, alternatives[i].name);
		for (int k = 0; k < sk_GENERAL_NAME_num(names); k++)
			if (sk_GENERAL_NAME_value(names, k)->type == alternatives[i].type)
				add_alternative(f, full, item++, sk_GENERAL_NAME_value(names, k));
	}
	GENERAL_NAMES_free(names);
}

/* -- the certificate -- */

static void add_serial(struct facts *f, X509 *x)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	char *text = n ? BN_bn2dec(n) : NULL;

	if (text)
		add(f, "SerialNumber", text, strlen(text));
	OPENSSL_free(text);
	BN_free(n);
}

static const char *facts_of(struct sk_arena *a, X509 *x, size_t *size)
{
	struct facts f = { .arena = a };

	if (x) {
		add_serial(&f, x);
		add_name(&f, "Subject", X509_get_subject_name(x));
		add_name(&f, "Issuer", X509_get_issuer_name(x));
		add_alternatives(&f, "Subject", x, NID_subject_alt_name);
		add_alternatives(&f, "Issuer", x, NID_issuer_alt_name);
		append(&f, "", 0);
	}
	X509_free(x);
	if (certificate_starved())
		a->failed = true; /* a name that is missing is one that a denial may ask for */
	*size = f.size;
	return a->failed ? NULL : f.text;
}

const char *facts_of_der(struct sk_arena *a, const unsigned char *der, size_t n, size_t *size)
{
	certificate_starved(); /* what others have left in the queue */
	return facts_of(a, d2i_X509(NULL, &der, (long)n), size);
}

const char *facts_of_pem(struct sk_arena *a, const char *pem)
{
	certificate_starved();
	BIO *b = pem ? BIO_new_mem_buf(pem, -1) : NULL;
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, (void *)"") : NULL;
	size_t size;

	BIO_free(b);
	return facts_of(a, x, &size);
}
