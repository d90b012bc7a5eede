/* Certificates for tests: nothing of the kind is checked in. */
#ifndef TESTS_CONN_MAKER_H
#define TESTS_CONN_MAKER_H

struct made {
	char *certificate, *key; /* PEM */
};

/* A P-256 key and a certificate that it signs itself, for a common name and, when
 * `names` is given ("DNS:a.example,DNS:*.b.example"), for these. It is valid from
 * yesterday until so many days from now. Ends the test when it cannot. */
struct made maker_make(const char *common_name, const char *names, int days);
/* The key again, encrypted; to be freed with free(). */
char *maker_encrypt(const char *key);
void maker_free(struct made *made);

#endif
