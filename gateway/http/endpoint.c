#include "http/endpoint.h"

#include "base/alloc.h"
#include "http/worker.h"

static bool copy_proxies(struct http_endpoint *endpoint, const struct lg_list *list,
			 struct error *error)
{
	if (list->count == 0)
		return true;
	endpoint->proxies = alloc_malloc(list->count * sizeof(*endpoint->proxies));
	if (!endpoint->proxies)
		return error_set(error, "no memory");
	for (size_t i = 0; i < list->count; i++)
		if (!address_prefix_parse(list->items[i], &endpoint->proxies[i]))
			return error_set(error,
					 "trusted_proxies: \"%.*s\" is neither an address nor a "
					 "prefix such as 10.0.0.0/8",
					 SLICE_ARGS(list->items[i]));
	endpoint->trust.proxies = endpoint->proxies;
	endpoint->trust.proxy_count = list->count;
	return true;
}

static bool copy_text(struct lg_slice *to, struct lg_slice text, struct error *error)
{
	if (!slice_present(text))
		return true;
	char *copy = alloc_malloc(text.length + 1);
	if (!copy)
		return error_set(error, "no memory");
	slice_to_text(text, copy, text.length + 1);
	*to = slice_of(copy, text.length);
	return true;
}

static void free_text(struct lg_slice text)
{
	alloc_free((char *)(uintptr_t)text.data);
}

struct http_endpoint *http_endpoint_new(struct http_server *server,
					const struct http_listen *listen, struct error *error)
{
	struct http_endpoint *endpoint = alloc_zalloc(sizeof(*endpoint));

	if (!endpoint) {
		error_set(error, "no memory");
		return NULL;
	}
	list_init(&endpoint->link);
	list_init(&endpoint->node);
	endpoint->listener.fd = -1;
	endpoint->server = server;
	endpoint->backlog = listen->backlog;
	endpoint->trust.header = (enum forwarded_header)listen->forwarded_header;
	atomic_store(&endpoint->references, 1);
	if (copy_text(&endpoint->address, listen->address, error) &&
	    copy_proxies(endpoint, &listen->trusted_proxies, error) &&
	    copy_text(&endpoint->probe_path, listen->probe_path, error))
		return endpoint;
	http_endpoint_unref(endpoint);
	return NULL;
}

bool http_endpoint_bind(struct http_endpoint *endpoint, struct error *error)
{
	struct loop *loop = endpoint->server->workers[0].group.loop;

	if (!listener_open(&endpoint->listener, loop, endpoint->address, (int)endpoint->backlog,
			   error))
		return false;
	atomic_store(&endpoint->port, listener_port(&endpoint->listener));
	return true;
}

static bool same_prefix(const struct address_prefix *a, const struct address_prefix *b)
{
	return a->bits == b->bits &&
	       memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes)) == 0;
}

static bool same_trust(const struct forwarded_trust *a, const struct forwarded_trust *b)
{
	if (a->header != b->header || a->proxy_count != b->proxy_count)
		return false;
	for (size_t i = 0; i < a->proxy_count; i++)
		if (!same_prefix(&a->proxies[i], &b->proxies[i]))
			return false;
	return true;
}

bool http_endpoint_same(const struct http_endpoint *a, const struct http_endpoint *b)
{
	return a->backlog == b->backlog && slice_equal(a->probe_path, b->probe_path) &&
	       same_trust(&a->trust, &b->trust);
}

struct http_endpoint *http_endpoint_ref(struct http_endpoint *endpoint)
{
	atomic_fetch_add_explicit(&endpoint->references, 1, memory_order_relaxed);
	return endpoint;
}

bool http_endpoint_is_last(const struct http_endpoint *endpoint)
{
	return atomic_load_explicit(&endpoint->references, memory_order_acquire) == 1;
}

void http_endpoint_unref(struct http_endpoint *endpoint)
{
	if (atomic_fetch_sub_explicit(&endpoint->references, 1, memory_order_acq_rel) > 1)
		return;
	list_remove(&endpoint->link);
	listener_close(&endpoint->listener);
	free_text(endpoint->address);
	free_text(endpoint->probe_path);
	alloc_free(endpoint->proxies);
	alloc_free(endpoint);
}
