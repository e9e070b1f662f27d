/* server_peer.c -- the certificate that a device shows in the TLS handshake. Any certificate may be shown, and no chain is looked at: that its key is the
 * peer's is proved by the handshake, and what it is good for is the registry's to say, as in AWS, where it must be registered. */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#include "plugins/http/server_internal.h"

static gnutls_session_t session_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info ? (gnutls_session_t)info->tls_session : NULL;
}

/* Before the handshake. "x-amzn-http-ca" is what devices offer on port 443; who offers nothing, or something else, gets on without. */
void server_ask_certificate(struct MHD_Connection *mhd)
{
	static char http_ca[] = "x-amzn-http-ca", http[] = "http/1.1";
	const gnutls_datum_t protocols[] = { { (unsigned char *)http_ca, sizeof http_ca - 1 }, { (unsigned char *)http, sizeof http - 1 } };
	gnutls_session_t session = session_of(mhd);
	if (!session)
		return;
	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	gnutls_alpn_set_protocols(session, protocols, 2, GNUTLS_ALPN_SERVER_PRECEDENCE);
}

static void read_times(struct http_peer *p, const gnutls_datum_t *der)
{
	gnutls_x509_crt_t x;
	if (gnutls_x509_crt_init(&x))
		return;
	if (!gnutls_x509_crt_import(x, der, GNUTLS_X509_FMT_DER)) {
		p->valid_from_s = gnutls_x509_crt_get_activation_time(x);
		p->valid_until_s = gnutls_x509_crt_get_expiration_time(x);
	}
	gnutls_x509_crt_deinit(x);
}

/* Without times that can be read a certificate was never valid. */
void server_read_peer(struct http_connection *c)
{
	gnutls_session_t session = session_of(c->mhd);
	unsigned n = 0;
	const gnutls_datum_t *list = session ? gnutls_certificate_get_peers(session, &n) : NULL;
	c->peer = (struct http_peer){ .valid_from_s = 1 };
	if (!list || !n || gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS) != GNUTLS_CRT_X509)
		return;
	c->peer.der = list[0].data;
	c->peer.size = list[0].size;
	read_times(&c->peer, &list[0]);
}
