/* What a plugin may say of the rows of a file alone. */
#include "base/list.h"
#include "ingest/intake.h"

/* As a lead has it that cannot be stored (RFC 9110, section 15.5.21). */
#define REFUSED_STATUS 422

/* What is shorter says nothing of the record: it would be missing among the refused rows. */
static bool is_whole(const struct lg_origin *origin)
{
	return origin->size >= offsetof(struct lg_origin, text) + sizeof(origin->text);
}

static void keep_origin(struct intake_item *item, const struct lg_origin *theirs)
{
	struct lg_origin ours = {0};

	memcpy(&ours, theirs, theirs->size < sizeof(ours) ? theirs->size : sizeof(ours));
	item->line = ours.line;
	item->text = slice_known(ours.text);
}

static int32_t lead_origin(struct lg_lead *lead, const struct lg_origin *origin)
{
	struct intake_item *item = container_of(lead, struct intake_item, handle);

	if (!item->intake->reads || !is_whole(origin))
		return LG_FAIL;
	keep_origin(item, origin);
	return LG_OK;
}

static int32_t reject(struct lg_request *request, struct lg_slice reason,
		      const struct lg_origin *origin)
{
	struct intake *intake = container_of(request, struct intake, handle);
	struct intake_item *item = NULL;

	if (intake->reads && is_whole(origin))
		item = intake_add(intake);
	if (!item)
		return LG_FAIL;
	item->verdict = LG_REFUSED;
	item->status = REFUSED_STATUS;
	item->reason = arena_copy(&intake->request->arena, reason);
	keep_origin(item, origin);
	return LG_OK;
}

void import_services(struct lg_services *services)
{
	services->lead_origin = lead_origin;
	services->reject = reject;
}
