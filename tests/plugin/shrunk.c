/* Has the right head and a descriptor that ends behind it. */
#include <leadgate/plugin.h>

struct head {
	uint32_t magic, abi_major, abi_minor, size;
	const char *name;
};

extern const struct head leadgate_plugin __attribute__((visibility("default")));
const struct head leadgate_plugin = {LG_MAGIC, 0, 1, sizeof(struct head), "shrunk"};
