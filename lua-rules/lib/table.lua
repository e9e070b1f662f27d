-- table: Lua's own, with a sort that keeps the order of equals and takes the same steps each time.
local base = ...
local table = base.table

local function less(a, b)
	return a < b
end

-- Merges the sorted runs from[low..middle - 1] and from[middle..high - 1] into `into`.
local function merge(from, into, low, middle, high, before)
	local left, right = low, middle
	for i = low, high - 1 do
		if left < middle and (right >= high or not before(from[right], from[left])) then
			into[i], left = from[left], left + 1
		else
			into[i], right = from[right], right + 1
		end
	end
end

function table.sort(list, before)
	before = before or less
	local n, width = #list, 1
	local from, into = table.move(list, 1, n, 1, {}), {}
	while width < n do
		for low = 1, n, 2 * width do
			merge(from, into, low, math.min(low + width, n + 1), math.min(low + 2 * width, n + 1), before)
		end
		from, into, width = into, from, 2 * width
	end
	table.move(from, 1, n, 1, list)
end

return table
