/* A library that is no plugin at all. */
int nothing(void) __attribute__((visibility("default")));
int nothing(void)
{
	return 0;
}
