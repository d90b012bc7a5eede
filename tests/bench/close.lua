-- Empty GET requests, each on a connection of its own.
wrk.headers["Connection"] = "close"
dofile(debug.getinfo(1, "S").source:match("@(.*)close%.lua$") .. "plain.lua")
