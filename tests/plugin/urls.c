/* urls: a source that writes down who sent to it, and where. The body is the
 * lead's address for mail; the lead's extra fields are `peer` and `url`, the
 * latter a list of all that lg_public_url gives. */
#include <leadgate/source.h>

static int32_t receive(void *instance, struct lg_request *request)
{
	struct lg_request_info info;
	struct lg_slice url;
	struct lg_lead *lead;

	(void)instance;
	if (lg_request_info(request, &info) != LG_OK || !(lead = lg_lead(request)) ||
	    lg_lead_set(lead, lg_field_named(request, LG_SLICE("email")), info.body) != LG_OK)
		return lg_refuse(request, 400, LG_SLICE("no address for mail"));
	lg_lead_extra(lead, LG_SLICE("peer"), info.peer_address);
	for (size_t i = 0; lg_public_url(request, i, &url) == LG_OK; i++)
		lg_lead_extra(lead, LG_SLICE("url"), url);
	return LG_OK;
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.receive = receive,
};

LG_SOURCE_PLUGIN(0, 3, "urls", .version = "1", .summary = "says who sent to it, and where",
		 .source = &operations);
