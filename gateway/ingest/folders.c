/* All drop folders, over generations. */
#include "base/log.h"
#include "ingest/folder.h"

void folders_init(struct folders *folders, struct fetcher *fetcher, struct loop *loop,
		  struct loop_task *turn)
{
	*folders = (struct folders){.fetcher = fetcher, .loop = loop, .turn = turn};
	list_init(&folders->all);
}

static void free_idle(struct folders *folders)
{
	LIST_EACH_SAFE(link, &folders->all) {
		struct folder *folder = container_of(link, struct folder, link);

		if (folder->retired && !folder->busy)
			folder_free(&folder);
	}
}

static bool has_predecessor(const struct folders *folders, const struct folder *folder)
{
	LIST_EACH(link, &folders->all) {
		const struct folder *other = container_of(link, struct folder, link);

		if (other->retired && slice_equal(other->source, folder->source))
			return true;
	}
	return false;
}

static void open_folder(struct folders *folders, const struct source *source)
{
	struct folder *folder = folder_new(folders->fetcher, source, folders->loop, folders->turn);

	if (folder)
		list_append(&folders->all, &folder->link);
	else
		log_error("folder.trouble", LOG_SLICE("source", source->instance->name),
			  LOG_TEXT("reason", "not enough memory or descriptors"));
}

void folders_change(struct folders *folders, const struct ingest *ingest)
{
	LIST_EACH(link, &folders->all)
		container_of(link, struct folder, link)->retired = true;
	free_idle(folders);
	for (size_t i = 0; i < ingest->source_count; i++)
		if (source_reads_files(&ingest->sources[i]) &&
		    slice_present(ingest->sources[i].settings.imports.folder))
			open_folder(folders, &ingest->sources[i]);
}

int64_t folders_look(struct folders *folders)
{
	int64_t wait_ms = INT64_MAX;

	free_idle(folders);
	LIST_EACH(link, &folders->all) {
		struct folder *folder = container_of(link, struct folder, link);
		int64_t folder_ms;

		/* The end of the predecessor's import brings us here again. */
		if (folder->retired || has_predecessor(folders, folder))
			continue;
		folder_ms = folder_look(folder);
		if (folder_ms < wait_ms)
			wait_ms = folder_ms;
	}
	return wait_ms;
}

void folders_fini(struct folders *folders)
{
	LIST_EACH_SAFE(link, &folders->all) {
		struct folder *folder = container_of(link, struct folder, link);

		folder_end(folder);
		folder_free(&folder);
	}
}
