/* What HTTP says about itself to TLS. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "conn/tls_context.h"

/* Of every listener that has `tls:`. */
extern const struct tls_terms http_tls_terms;

#endif
