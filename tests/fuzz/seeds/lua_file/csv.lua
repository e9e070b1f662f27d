-- CSV to JSON: an old logger sends lines of values with a semicolon between them, the first line their names. Every
-- line becomes a message; what looks like a number is one.

local function fields(line)
	local list = {}
	for field in (line .. ";"):gmatch("(.-);") do
		list[#list + 1] = field:match('^%s*"?(.-)"?%s*$')
	end
	return list
end

rule "csv" {
	description = "lines of CSV to one JSON message each",
	topic = "logger/+/csv",
	run = function(m)
		local names
		for line in m.raw:gmatch("[^\r\n]+") do
			local values = fields(line)
			if not names then
				names = values
			else
				local out = {}
				for i, name in ipairs(names) do
					local value = values[i]
					if value and value ~= "" then
						out[name] = tonumber(value) or value
					end
				end
				publish("logger/" .. m.levels[2] .. "/json", out)
			end
		end
	end,
}

test "a message for each line" {
	topic = "logger/old/csv",
	raw = 'time;temp;place\r\n"08:00";21.5;hall a\r\n08:05;;hall b\r\n',
	expect = {
		{ topic = "logger/old/json", payload = { time = "08:00", temp = 21.5, place = "hall a" } },
		{ topic = "logger/old/json", payload = { time = "08:05", place = "hall b" } },
	},
}

test "names alone are no message" {
	topic = "logger/old/csv",
	raw = "time;temp;place",
	expect = {},
}
