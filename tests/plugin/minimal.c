/* minimal: the smallest source that is of use. The whole body is an email
 * address; docs/writing-a-plugin.md walks through it.
 *
 *   curl --data-binary ada@example.org http://127.0.0.1:8080/in/minimal
 */
#include <leadgate/source.h>
#include <leadgate/text.h>

struct settings {
	struct lg_slice campaign;
};

static const struct lg_option options[] = {
	{.name = "campaign",
	 .type = LG_STRING,
	 .fallback = "none",
	 .offset = offsetof(struct settings, campaign),
	 .help = "written to utm_campaign of every lead"},
};

static int32_t open_instance(struct lg_host *host, const void *settings, void **instance,
			     struct lg_text problem)
{
	(void)host;
	(void)problem;
	/* The settings are all that receive needs, and they outlive the instance. */
	memcpy(instance, &settings, sizeof(settings));
	return LG_OK;
}

static int32_t receive(void *instance, struct lg_request *request)
{
	const struct settings *settings = instance;
	struct lg_request_info info;
	struct lg_lead *lead;

	if (lg_request_info(request, &info) != LG_OK)
		return LG_FAIL;
	if (lg_slice_trim(info.body).length == 0)
		return lg_refuse(request, 422, LG_SLICE("The body must be an email address."));
	lead = lg_lead(request);
	if (!lead)
		return lg_refuse(request, 503, LG_SLICE("No memory is left."));
	lg_lead_set(lead, LG_EMAIL, lg_slice_trim(info.body));
	lg_lead_set(lead, LG_UTM_CAMPAIGN, settings->campaign);
	return LG_OK;
}

static const struct lg_source_operations operations = {
	.size = sizeof(operations),
	.open = open_instance,
	.receive = receive,
};

LG_SOURCE_PLUGIN(0, 1, "minimal", .version = "1", .summary = "an email address as the whole body",
		 .channel = "web", .methods = "POST", LG_OPTIONS(options, struct settings),
		 .source = &operations);
