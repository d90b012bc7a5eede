-- The load of the benchmark: form posts of ever new people with valid phone
-- numbers, two thirds of them North American, the rest from five countries.
--   wrk … -s people.lua URL -- FIRST RETURNING PREPARED [PAUSE]
-- FIRST is the number of the first person, so that rounds never share people;
-- RETURNING is the share in per cent of posts by somebody who came before;
-- PREPARED is the number of posts that are written before the load begins, for
-- making one costs about what the gateway spends on parsing it, on the same
-- machine. Later ones are made when they are sent.
-- PAUSE is the number of milliseconds that a connection rests after an answer.
local first, returning, serial, prepared = 0, 0, 0, {}
local load -- wrk's thread, there is one

local areas = { 212, 310, 415, 617, 713, 202, 303, 404, 503, 602,
                702, 808, 907, 512, 206, 305, 312, 214, 918, 604 }
local abroad = {
  function(i) return string.format("%%2B4479%08d", i % 100000000) end,
  function(i) return string.format("%%2B49+1512+%07d", i % 10000000) end,
  function(i) return string.format("%%2B336%08d", i % 100000000) end,
  function(i) return string.format("%%2B91+98%08d", i % 100000000) end,
  function(i) return string.format("%%2B61+4%08d", i % 100000000) end,
}
local given = { "Ada", "Grace", "Alan", "Edsger", "Barbara", "Ken", "Radia", "Dennis" }
local family = { "Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Thompson", "Perlman" }

local function american(i)
  local area = areas[i % 20 + 1]
  i = math.floor(i / 20)
  local line = i % 10000
  i = math.floor(i / 10000)
  local exchange = (i % 8 + 2) * 100 + (math.floor(i / 8) % 8 + 2) * 10 + math.floor(i / 64) % 10
  if line % 2 == 0 then
    return string.format("%%28%03d%%29+%03d-%04d", area, exchange, line)
  end
  return string.format("%03d-%03d-%04d", area, exchange, line)
end

local function phone(n)
  local third = math.floor(n / 3)
  if n % 3 < 2 then
    return american(third * 2 + n % 3)
  end
  return abroad[third % 5 + 1](math.floor(third / 5))
end

local function make()
  local n = first + serial
  if returning > 0 and serial > 1000 and math.random(100) <= returning then
    n = first + math.random(0, serial - 500)
  end
  serial = serial + 1
  local body = string.format(
    "full_name=%s+%s&email=p%09d%%40example%02d.com&phone=%s&company=Example+Works+%d"
    .. "&message=Please+send+a+quote+for+%d+units&utm_source=search&utm_campaign=spring",
    given[n % 8 + 1], family[n % 7 + 1], n, n % 90 + 10, phone(n), n % 1000, serial)
  return "POST /f/contact HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    .. "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
    .. #body .. "\r\n\r\n" .. body
end

function setup(thread)
  load = thread
end

function init(args)
  first = tonumber(args[1] or "0")
  returning = tonumber(args[2] or "0")
  math.randomseed(first + 1)
  for i = 1, tonumber(args[3] or "0") do
    prepared[i] = make()
  end
  local pause = tonumber(args[4] or "0")
  if pause > 0 then
    delay = function() return pause end -- wrk looks for this name after init
  end
  preparing_s = os.clock() -- of CPU; a global, for `done` runs elsewhere
end

local sent = 0

function request()
  sent = sent + 1
  return prepared[sent] or make()
end

function done(summary, latency, requests)
  io.write(string.format("RESULT requests=%d seconds=%.3f client_s=%.3f p50_us=%d p99_us=%d"
    .. " status=%d socket=%d\n",
    summary.requests, summary.duration / 1e6, os.clock() - load:get("preparing_s"),
    latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
