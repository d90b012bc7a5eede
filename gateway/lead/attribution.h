/* Campaign parameters of the page on which a person arrived. */
#ifndef LEAD_ATTRIBUTION_H
#define LEAD_ATTRIBUTION_H

#include "lead/lead.h"

/* Takes utm_* and click ids out of the query of attribution.last.landing_url, or
 * else reads those of client.page_url, into attribution.last where they were not
 * given. The landing page's own URL then has none of them, so that all who
 * arrived there share one; `raw` keeps it as it was sent. False: memory ran out. */
bool attribution_collect(struct lead *lead);

#endif
