-- A rate limit: of each client three alarms at once and one more every ten seconds go on; the rest is counted, and the
-- next alarm that goes on says how many were held back. A token bucket in the rule's state.

local MOST, EVERY = 3, 10 -- tokens, seconds for one

rule "calm_alarms" {
	description = "alarms, at most three at once and one in ten seconds for each client",
	topic = "alarms/+",
	run = function(m)
		local key = m.client or m.levels[2]
		local now = time.ms() / 1000
		local bucket = state.get(key) or { tokens = MOST, at = now, held = 0 }
		bucket.tokens = math.min(MOST, bucket.tokens + (now - bucket.at) / EVERY)
		bucket.at = now
		if bucket.tokens >= 1 then
			local out = json.copy(m)
			out.held_back = bucket.held > 0 and bucket.held or nil
			publish("calm/" .. m.levels[2], out)
			bucket.tokens, bucket.held = bucket.tokens - 1, 0
		else
			bucket.held = bucket.held + 1
		end
		state.set(key, bucket)
	end,
}

local alarm = { topic = "alarms/pump", client = "plc-1", message = { code = 7 } }
local passed = { topic = "calm/pump", payload = { code = 7 } }

local function step(expected, after)
	return { after = after, topic = alarm.topic, client = alarm.client, message = alarm.message, expect = expected }
end

test "three go on at once, then one every ten seconds" {
	steps = {
		step { passed },
		step { passed },
		step { passed },
		step {},
		step {},
		step({ { topic = "calm/pump", payload = { code = 7, held_back = 2 } } }, 10),
		step({}, 9),
		step({ { topic = "calm/pump", payload = { code = 7, held_back = 1 } } }, 1),
	},
}

test "another client has tokens of its own" {
	topic = "alarms/pump",
	client = "plc-2",
	message = { code = 8 },
	state = { ["plc-1"] = { tokens = 0, at = 1700000000, held = 5 } },
	expect = { { topic = "calm/pump", payload = { code = 8 } } },
}
