-- time: the clock of the run, and UTC. The same all through a run, and again when it is repeated.
local base = ...

local time = { utc = base.utc } -- utc(seconds): {year, month, day, hour, min, sec, weekday (1 is Monday), yearday}

-- Seconds since 1970.
function time.now()
	return base.now() // 1000
end

-- Milliseconds since 1970.
function time.ms()
	return base.now()
end

-- format("%Y-%m-%dT%H:%M:%SZ", seconds): strftime's letters; now when seconds are left out.
function time.format(format, seconds)
	return base.format(format, seconds or time.now())
end

return time
