/* Exports the right symbol with something else behind it. */
#include <stdint.h>

extern const uint32_t leadgate_plugin[64] __attribute__((visibility("default")));
const uint32_t leadgate_plugin[64] = {0x64726f57};
