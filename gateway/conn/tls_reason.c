#include "conn/tls_reason.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static const struct {
	int code;
	enum conn_reason reason;
} rows[] = {
	{SSL_R_UNSUPPORTED_PROTOCOL, CONN_TLS_VERSION},
	{SSL_R_VERSION_TOO_LOW, CONN_TLS_VERSION},
	{SSL_R_VERSION_TOO_HIGH, CONN_TLS_VERSION},
	{SSL_R_NO_PROTOCOLS_AVAILABLE, CONN_TLS_VERSION},
	{SSL_R_NO_SHARED_CIPHER, CONN_TLS_CIPHER},
	{SSL_R_NO_SHARED_GROUPS, CONN_TLS_CIPHER},
	{SSL_R_NO_SUITABLE_GROUPS, CONN_TLS_CIPHER},
	{SSL_R_NO_SUITABLE_KEY_SHARE, CONN_TLS_CIPHER},
	{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, CONN_TLS_CIPHER},
	{SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, CONN_TLS_CIPHER},
	{SSL_R_NO_APPLICATION_PROTOCOL, CONN_TLS_ALPN},
	{ERR_R_MALLOC_FAILURE, CONN_NO_MEMORY},
};

enum conn_reason tls_reason_of(unsigned long code)
{
	int reason = ERR_GET_REASON(code);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == reason)
			return rows[i].reason;
	/* Alerts that the peer sent are their numbers and this (ssl(7)). */
	return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256
		       ? CONN_TLS_ALERT
		       : CONN_TLS_ERROR;
}
