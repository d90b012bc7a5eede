/* Says that it was written for another major of the ABI. */
#include <leadgate/sink.h>

static int32_t deliver(void *instance, struct lg_batch *batch, int64_t deadline)
{
	(void)instance;
	(void)batch;
	(void)deadline;
	return LG_OK;
}

static const struct lg_sink_operations operations = {
	.size = sizeof(operations),
	.deliver = deliver,
};

LG_SINK_PLUGIN(42, 0, "major", .sink = &operations);
