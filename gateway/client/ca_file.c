#include "client/ca_file.h"

#include "base/file.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

/* All authorities of the Web have a quarter of a megabyte. */
#define CA_FILE_BYTES (16u << 20)

bool ca_file_check(struct lg_slice path, struct error *error)
{
	char text[PATH_MAX];
	X509_STORE *store;
	bool good;

	slice_to_text(path, text, sizeof(text));
	if (path.length >= sizeof(text))
		return error_set(error, "cannot read the certificates in '%s'", text);
	if (!file_check(text, CA_FILE_BYTES, error))
		return error_prefix(error, "cannot read the certificates in '%s': ", text);
	store = X509_STORE_new();
	if (!store)
		return error_set(error, "no memory to read the certificates in '%s'", text);
	ERR_clear_error();
	good = X509_STORE_load_file(store, text) == 1;
	ERR_clear_error();
	X509_STORE_free(store);
	return good || error_set(error, "there is no certificate in '%s'", text);
}
