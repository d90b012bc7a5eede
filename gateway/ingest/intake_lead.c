/* What a plugin may say of a lead. Bounds are the lead's own. */
#include "ingest/intake.h"

#include "base/list.h"
#include "lead/field.h"

static struct intake_item *item_of(struct lg_lead *lead)
{
	return container_of(lead, struct intake_item, handle);
}

/* Fields that the gateway alone sets are closed to plugins. */
static bool open_field(int32_t field)
{
	return field >= 0 && field < LG_FIELD_COUNT && !field_table[field].host_only;
}

static int32_t lead_set_service(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	return open_field(field) && lead_set(item_of(lead)->lead, field, slice_known(value))
		       ? LG_OK
		       : LG_FAIL;
}

static int32_t lead_add_service(struct lg_lead *lead, int32_t field, struct lg_slice value)
{
	return open_field(field) && lead_add(item_of(lead)->lead, field, value) ? LG_OK : LG_FAIL;
}

static int32_t lead_profile_service(struct lg_lead *lead, struct lg_slice network,
				    struct lg_slice id, struct lg_slice url)
{
	network = slice_known(network);
	id = slice_known(id);
	url = slice_known(url);
	if (id.length == 0 && url.length == 0)
		return LG_FAIL;
	return lead_add_profile(item_of(lead)->lead, network, id, url) ? LG_OK : LG_FAIL;
}

static int32_t lead_consent_service(struct lg_lead *lead, const struct lg_consent *consent)
{
	struct lg_consent ours = {0};
	size_t size = consent->size < sizeof(ours) ? consent->size : sizeof(ours);

	memcpy(&ours, consent, size);
	ours.size = sizeof(ours);
	ours.purpose = slice_known(ours.purpose);
	ours.channels = slice_known(ours.channels);
	ours.basis = slice_known(ours.basis);
	ours.text = slice_known(ours.text);
	ours.version = slice_known(ours.version);
	ours.method = slice_known(ours.method);
	if (ours.state < LG_CONSENT_GRANTED || ours.state > LG_CONSENT_PENDING)
		return LG_FAIL;
	return lead_add_consent(item_of(lead)->lead, &ours) ? LG_OK : LG_FAIL;
}

static int32_t lead_extra_service(struct lg_lead *lead, struct lg_slice name, struct lg_slice value)
{
	return lead_add_extra(item_of(lead)->lead, slice_known(name), slice_known(value)) ? LG_OK
											  : LG_FAIL;
}

static int32_t lead_key_service(struct lg_lead *lead, int32_t kind, struct lg_slice key)
{
	struct intake_item *item = item_of(lead);
	const struct intake *intake = item->intake;

	if (slice_known(key).length == 0)
		return LG_FAIL;
	item->key = arena_copy(&item->intake->request->arena, key);
	/* Nobody waits for an answer who could be told of other content under the same. */
	item->key_kind = intake->reads || intake->fetch ? LG_KEY_PROVIDER : kind;
	return slice_present(item->key) ? LG_OK : LG_FAIL;
}

static int32_t lead_trap_service(struct lg_lead *lead, struct lg_slice rule)
{
	struct intake_item *item = item_of(lead);

	item->trapped = true;
	return lead_add(item->lead, LG_SCREENING_RULES, rule) ? LG_OK : LG_FAIL;
}

static int32_t field_named(struct lg_slice name)
{
	int field = field_by_name(slice_known(name));

	return field < 0 ? LG_FAIL : field;
}

void intake_lead_services(struct lg_services *services)
{
	services->lead_set = lead_set_service;
	services->lead_add = lead_add_service;
	services->lead_profile = lead_profile_service;
	services->lead_consent = lead_consent_service;
	services->lead_extra = lead_extra_service;
	services->lead_key = lead_key_service;
	services->lead_trap = lead_trap_service;
	services->field_named = field_named;
}
