#!lua flags=no-writes
-- scan.lua -- a page of one bucket's records, as of one moment.
--
-- KEYS: hash, sorted set, the bucket's facts          ARGV: from, to (as ZRANGEBYLEX has them), at most so many records, and about so many bytes
-- Answer: newest version, the time, 1 if there may be more, then keys and values in turn.
local time = redis.call('TIME')
local keys = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local answer = { redis.call('HGET', KEYS[3], 'v') or '0', string.format('%.0f', time[1] * 1000000 + time[2]), 0 }
local bytes, at, most = 0, 1, tonumber(ARGV[4])
while at <= #keys and bytes < most do
	local last = math.min(at + 31, #keys)
	local values = redis.call('HMGET', KEYS[1], unpack(keys, at, last))
	while at <= last and bytes < most do
		local value = table.remove(values, 1)
		bytes = bytes + #(value or '')
		answer[#answer + 1] = keys[at]
		answer[#answer + 1] = value
		at = at + 1
	end
end
answer[3] = (at <= #keys or #keys == tonumber(ARGV[3])) and 1 or 0
return answer
