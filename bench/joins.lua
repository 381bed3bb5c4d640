-- Joins of 1,000 meetings from 1,000 addresses, in a fixed pseudo-random order: the same for every proxy and run.
-- With the argument `close`, each on a connection of its own.
-- Nobody is in a restricted place and a restricted meeting at once: every join is admitted.
local requests, at = {}, 0
function init(args)
  math.randomseed(20200604)
  for i = 1, 1000 do
    local second = ({1, 33, 44, 49, 81})[math.random(5)]
    local headers = { ["Host"] = wrk.headers["Host"], ["User-Agent"] = "bench", ["Accept"] = "*/*", ["Accept-Language"] = "en",
      ["X-Forwarded-For"] = string.format("10.%d.%d.%d", second, math.random(0, 255), math.random(254)),
      ["Cookie"] = "session=0123456789abcdef0123456789abcdef" }
    if args[1] == "close" then headers["Connection"] = "close" end
    local path = string.format("/meetings/m%06d/join?user=u%d", math.random(0, 99999), i)
    requests[i] = wrk.format("GET", path, headers)
  end
end
function request()
  at = at % 1000 + 1
  return requests[at]
end
function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d\n", summary.requests, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50)))
end
