-- registry.thing(name): what the registry knows of a thing: thingName, thingTypeName, attributes, version; nil when there is none.
local base = ...

return { thing = base.thing }
