-- Empty GET requests, with the same closing line as people.lua.
function done(summary, latency, requests)
  io.write(string.format("RESULT requests=%d seconds=%.3f client_s=%.3f p50_us=%d p99_us=%d"
    .. " status=%d socket=%d\n",
    summary.requests, summary.duration / 1e6, os.clock(),
    latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
