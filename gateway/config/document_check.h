/* What is wrong with a tree whatever its keys mean. Main thread. */
#ifndef CONFIG_DOCUMENT_CHECK_H
#define CONFIG_DOCUMENT_CHECK_H

#include "config/document.h"

/* Nesting, and values counted with those that aliases stand for. */
#define DOCUMENT_DEPTH_MAX 64
#define DOCUMENT_VALUES_MAX 100000

/* Reports keys that stand twice, keys that are no words, texts that libfyaml would
 * misread, and variables in "${…}" that are not set. `file` is what was parsed. False,
 * reported too, when something would be misread, or when the tree is deeper or with its
 * aliases larger than the limits: then nothing may walk it. */
bool document_check(struct document *document, struct lg_slice file, bool *has_aliases);

#endif
