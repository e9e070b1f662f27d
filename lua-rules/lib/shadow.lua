-- shadow: the shadows of things. What is updated here is seen by get() in a later run.
local base = ...

local shadow = {}

-- get(thing, name): the document {state, metadata, version, timestamp}, nil when there is none.
function shadow.get(thing, name)
	return base.shadow(thing, name)
end

-- update(thing, document, name): as a device would, {state = {desired = {...}}}.
function shadow.update(thing, document, name)
	if type(thing) ~= "string" or (name ~= nil and type(name) ~= "string") then
		base.fail("shadow.update: expected (thing, document, name)")
	end
	if type(document) ~= "table" or document.state == nil then
		base.fail("shadow.update: expected a document { state = { desired = ..., reported = ... } }")
	end
	local which = name and "/name/" .. name or ""
	base.publish("$aws/things/" .. thing .. "/shadow" .. which .. "/update", document, { qos = 1 })
end

-- desire(thing, { open = false }, name): wish for it.
function shadow.desire(thing, wish, name)
	shadow.update(thing, { state = { desired = wish } }, name)
end

-- report(thing, { open = false }, name): say that it is so.
function shadow.report(thing, fact, name)
	shadow.update(thing, { state = { reported = fact } }, name)
end

return shadow
