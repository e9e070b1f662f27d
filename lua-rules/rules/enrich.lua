-- Enrichment: a reading gets what the registry and the shadow of its device know: where it hangs, what it is, what
-- limit somebody has set for it.

rule "enrich" {
	description = "readings with site, model and limit of their device",
	topic = "readings/+",
	run = function(m)
		local device = m.levels[2]
		local thing = registry.thing(device)
		if not thing then
			log("a reading of", device, "which is not registered")
			return
		end
		local document = shadow.get(device)
		local desired = document and document.state.desired
		local out = json.copy(m)
		out.device = device
		out.model = thing.thingTypeName
		out.site = thing.attributes and thing.attributes.site
		out.limit = desired and desired.limit or 100
		out.over = out.value > out.limit
		publish("enriched/" .. (out.site or "nowhere") .. "/" .. device, out)
	end,
}

test "a registered device with a limit" {
	topic = "readings/press-4",
	message = { value = 81 },
	registry = { ["press-4"] = { thingName = "press-4", thingTypeName = "press", attributes = { site = "hamburg" } } },
	shadow = { ["press-4"] = { state = { desired = { limit = 80 } }, version = 3 } },
	expect = {
		{
			topic = "enriched/hamburg/press-4",
			payload = { value = 81, device = "press-4", model = "press", site = "hamburg", limit = 80, over = true },
		},
	},
}

test "without a shadow the usual limit holds" {
	topic = "readings/press-4",
	message = { value = 81 },
	registry = { ["press-4"] = { thingName = "press-4", attributes = {} } },
	expect = { { topic = "enriched/nowhere/press-4", payload = { value = 81, device = "press-4", limit = 100, over = false } } },
}

test "a stranger is named in the log and goes nowhere" {
	topic = "readings/x",
	message = { value = 1 },
	expect = {},
	expect_log = { "a reading of x which is not registered" },
}
