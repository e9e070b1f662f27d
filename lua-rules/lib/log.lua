-- log(...): one line for whoever watches the rule.
local base = ...

return function(...)
	local words = table.pack(...)
	for i = 1, words.n do
		words[i] = tostring(words[i])
	end
	base.log(table.concat(words, " ", 1, words.n))
end
