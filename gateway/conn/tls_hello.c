#include "conn/tls_hello.h"

#include "base/slice.h"

#include <openssl/ssl.h>

/* A list of names begins with its length, and each name with a type and a length. There
 * is one type, and so one name (RFC 6066, section 3). */
enum { TYPE_AT = 2, LENGTH_AT = 3, NAME_AT = 5 };

struct lg_slice tls_hello_name(SSL *ssl)
{
	const unsigned char *bytes;
	size_t length;

	if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &length) ||
	    length < NAME_AT || bytes[TYPE_AT] != TLSEXT_NAMETYPE_host_name)
		return (struct lg_slice){0};
	size_t name_bytes = (size_t)bytes[LENGTH_AT] << 8 | bytes[LENGTH_AT + 1];
	return slice_cut(slice_of((const char *)bytes, length), NAME_AT, name_bytes);
}
