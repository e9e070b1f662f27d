-- fields(what, given, known): is every field known, and of the type it should be? A misspelt one is said to be.
local base = ...

local function is(value, types)
	for one in types:gmatch("%a+") do
		if type(value) == one or (one == "integer" and math.type(value) == "integer") then
			return true
		end
	end
	return false
end

return function(what, given, known)
	if type(given) ~= "table" then
		base.fail(what .. ": expected a table { ... }, got " .. type(given))
	end
	for name, value in pairs(given) do
		if type(name) ~= "string" then
			base.fail(what .. ": expected name = value, got a value without a name")
		end
		local types = known[name]
		if not types then
			base.fail(what .. ": unknown field '" .. name .. "'" .. base.did_you_mean(name, known))
		end
		if not is(value, types) then
			base.fail(what .. ": " .. name .. " must be " .. types .. ", not " .. type(value))
		end
	end
end
