/* What libfyaml has to say of a text, kept from standard error. Any thread. */
#ifndef CONFIG_DIAG_H
#define CONFIG_DIAG_H

struct fy_diag;

/* Collects errors and prints none. NULL: no memory. The caller's, for
 * fy_diag_destroy. */
struct fy_diag *diag_new(void);

#endif
