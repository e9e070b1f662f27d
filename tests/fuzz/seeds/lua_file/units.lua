-- Unit conversion: what sensors say in their own units goes on in the plant's. Both rules do the same for one
-- topic each, the first in Lua, the second in SQL alone: then nothing of Lua runs for a message.

local to_si = {
	F = function(x) return (x - 32) / 1.8, "C" end,
	psi = function(x) return x * 6894.757, "Pa" end,
	inHg = function(x) return x * 3386.389, "Pa" end,
}

local function rounded(x, places)
	local scale = 10 ^ places
	return math.floor(x * scale + 0.5) / scale
end

rule "si_units" {
	description = "values with a unit to SI units",
	topic = "raw/+/+",
	where = function(m) return to_si[m.unit] ~= nil and math.type(m.value) ~= nil end,
	run = function(m)
		local value, unit = to_si[m.unit](m.value)
		local out = json.copy(m)
		out.value, out.unit = rounded(value, 2), unit
		publish("si/" .. m.levels[2] .. "/" .. m.levels[3], out)
	end,
}

rule "fahrenheit" {
	description = "Celsius to Fahrenheit for the display, by SQL",
	sql = "SELECT trunc(celsius * 1.8 + 32, 1) AS fahrenheit FROM 'hall/+/temperature'",
	actions = {
		{ republish = { topic = "display/${topic(2)}", roleArn = "arn:aws:iam::123456789012:role/display" } },
	},
}

test "Fahrenheit becomes Celsius, and the rest stays" {
	topic = "raw/boiler/7",
	message = { value = 212, unit = "F", serial = 9007199254740993 },
	expect = { { topic = "si/boiler/7", payload = { value = 100, unit = "C", serial = 9007199254740993 } } },
}

test "pressure" {
	topic = "raw/pump/1",
	message = { value = 14.5, unit = "psi" },
	expect = { { topic = "si/pump/1", payload = { value = 99973.98, unit = "Pa" } } },
}

test "an unknown unit goes nowhere" {
	topic = "raw/pump/1",
	message = { value = 1, unit = "furlong" },
	expect = {},
}

test "a value that is text goes nowhere" {
	topic = "raw/pump/1",
	message = { value = "14.5", unit = "psi" },
	expect = {},
}

test "the display is in Fahrenheit" {
	topic = "hall/a/temperature",
	message = { celsius = 21.3 },
	expect = { { action = "republish", topic = "display/a", payload = { fahrenheit = 70.3 } } },
}
