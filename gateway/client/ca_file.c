#include "client/ca_file.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

bool ca_file_check(struct lg_slice path, struct error *error)
{
	char text[PATH_MAX];
	X509_STORE *store;
	bool good;

	slice_to_text(path, text, sizeof(text));
	if (path.length >= sizeof(text) || access(text, R_OK) != 0)
		return error_set(error, "cannot read the certificates in '%s'", text);
	store = X509_STORE_new();
	if (!store)
		return error_set(error, "no memory to read the certificates in '%s'", text);
	ERR_clear_error();
	good = X509_STORE_load_file(store, text) == 1;
	ERR_clear_error();
	X509_STORE_free(store);
	return good || error_set(error, "there is no certificate in '%s'", text);
}
