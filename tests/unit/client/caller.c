#include "caller.h"

#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* No machine is as busy as that. */
#define LONGEST_MS 20000

struct pending {
	struct caller *caller;
	struct caller_answer *answer;
};

void caller_init(struct caller *caller)
{
	*caller = (struct caller){
		.settings =
			{
				.timeout_ms = 20000,
				.connect_timeout_ms = 20000,
				.calls_max = 100,
				.connections_max = 20,
				.host_connections_max = 10,
				.idle_ms = 60000,
				.connection_life_ms = 60000,
				.answer_head_bytes = 2048,
				.answer_keep_bytes = 1000,
				.answer_max_bytes = 20000,
				.name_timeout_ms = 20000,
				.name_lookups_max = 8,
				.names_max = 8,
				.name_keep_ms = 60000,
				.name_failed_keep_ms = 60000,
				.user_agent = LG_SLICE("leadgate-test"),
				.allow_private = true,
			},
	};
}

void caller_open(struct caller *caller)
{
	struct error error;

	caller->loop = loop_new();
	assert_non_null(caller->loop);
	caller->client = http_client_new(caller->loop, &caller->settings, &error);
	if (!caller->client)
		fail_msg("%s", error.text);
}

void caller_close(struct caller *caller)
{
	http_client_free(&caller->client);
	loop_free(&caller->loop);
}

static struct lg_slice copy(struct lg_slice from, char *to, size_t capacity)
{
	assert_true(from.length <= capacity);
	memcpy(to, from.length ? from.data : "", from.length);
	return slice_of(to, from.length);
}

static void on_done(void *context, const struct http_answer *answer)
{
	struct pending *pending = context;
	struct caller_answer *to = pending->answer;
	struct caller *caller = pending->caller;

	to->answer = *answer;
	to->answer.body = copy(answer->body, to->body, sizeof(to->body));
	to->answer.head = copy(answer->head, to->head, sizeof(to->head));
	free(pending);
	if (--caller->under_way == 0)
		loop_stop(caller->loop);
}

struct http_exchange *caller_send(struct caller *caller, const struct http_call *call,
				  struct caller_answer *answer)
{
	struct pending *pending = malloc(sizeof(*pending));
	struct http_exchange *exchange;

	assert_non_null(pending);
	*pending = (struct pending){caller, answer};
	*answer = (struct caller_answer){.answer.result = HTTP_RESULT_COUNT};
	exchange = http_client_send(caller->client, call, on_done, pending);
	if (exchange)
		caller->under_way++;
	else
		free(pending);
	return exchange;
}

void caller_wait(struct caller *caller)
{
	if (caller->under_way > 0)
		loop_run(caller->loop);
	assert_int_equal(caller->under_way, 0);
}

void caller_get(struct caller *caller, const char *host, uint16_t port,
		struct caller_answer *answer)
{
	char url[512];
	struct http_call call = {.method = LG_SLICE("GET")};

	snprintf(url, sizeof(url), "%s%s:%d/path", strstr(host, "://") ? "" : "http://", host,
		 port);
	call.url = slice_from(url);
	assert_non_null(caller_send(caller, &call, answer));
	caller_wait(caller);
}

bool caller_needs_longer(const struct caller_answer *answer, enum http_result wanted,
			 int64_t *timeout_ms)
{
	enum http_result result = answer->answer.result;
	bool late = result == HTTP_TIMEOUT_SENT || result == HTTP_TIMEOUT_UNSENT ||
		    result == HTTP_CONNECT_TIMEOUT;

	if (result == wanted || !late || *timeout_ms > LONGEST_MS)
		return false;
	*timeout_ms *= 2;
	return true;
}

int caller_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}
