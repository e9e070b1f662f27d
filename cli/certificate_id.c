/* certificate_id.c -- what AWS calls a certificate: the SHA-256 of its DER. */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "cli/cli.h"

const char *cli_certificate_id(struct cli *cli, const char *path)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char *id = sk_alloc_text(&cli->arena, 2 * EVP_MAX_MD_SIZE + 1);
	FILE *f = fopen(path, "r");
	X509 *certificate = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	if (f)
		fclose(f);
	if (!id || !certificate || X509_digest(certificate, EVP_sha256(), digest, &n) != 1)
		n = 0;
	for (unsigned i = 0; i < n; i++)
		snprintf(id + 2 * i, 3, "%02x", digest[i]);
	X509_free(certificate);
	return n ? id : NULL;
}
