/* unheard: a sink that asks for a type of event that no gateway has. */
#include <leadgate/sink.h>

static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	(void)instance;
	(void)batch;
	(void)deadline;
	return LG_FAIL;
}

static const struct lg_sink_operations operations = {
	.size = sizeof(operations),
	.deliver = deliver,
	.events = "lead.created lead.unheard",
};

LG_SINK_PLUGIN(0, 4, "unheard", .version = "1", .summary = "asks for what there is not",
	       .sink = &operations);
