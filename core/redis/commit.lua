#!lua
-- commit.lua -- commits of one bucket, in order, each whole or not at all.
--
-- KEYS: the hashes of the three spaces, their sorted sets, the bucket's facts, what this broker was answered last, the log of changes
-- ARGV: the batch's number, a version that is too low, then for each commit
--       how many records it relies on, and of each its key and version (0: absent)
--       how many cells it relies on, and of each its name and the newest change that is allowed
--       the cell of its partition, how many writes, and of each what it is (space, +3: delete, +6: tell it), key and data
-- Answer: a version for each commit, 1 if it writes nothing, 0 for a conflict, with blanks between.
local facts, outcome, log = KEYS[7], KEYS[8], KEYS[9]

-- Asked again after its answer was lost, it answers the same; one that comes late, behind newer ones, must not happen any more.
-- The expiry is renewed then, so that a WAIT behind it waits for what the first one wrote.
local before = redis.call('GET', outcome)
if before then
	local number, answer = string.match(before, '^(%d+) (.*)$')
	if tonumber(number) == tonumber(ARGV[1]) then
		redis.call('EXPIRE', outcome, 86400)
		return answer
	end
	if tonumber(number) > tonumber(ARGV[1]) then
		return redis.error_reply('STALE batch ' .. ARGV[1] .. ' comes after ' .. number)
	end
end

local time = redis.call('TIME')
local newest = tonumber(redis.call('HGET', facts, 'v') or 0)
local least = math.max(time[1] * 1000000 + time[2], ARGV[2] + 1)
local cells, changed, answers, wrote, at = {}, {}, {}, #ARGV == 2, 3

local function cell(name)
	if not cells[name] then
		cells[name] = tonumber(redis.call('HGET', facts, name) or 0)
	end
	return cells[name]
end

local function expectations_hold()
	local hold = true
	local records = at + 2 * ARGV[at]
	for i = at + 1, records, 2 do
		local record = hold and redis.call('HGET', KEYS[1], ARGV[i])
		hold = hold and (record and string.match(record, '^%d+') or '0') == ARGV[i + 1]
	end
	at = records + 1
	local ends = at + 2 * ARGV[at]
	for i = at + 1, ends, 2 do
		hold = hold and cell(ARGV[i]) <= tonumber(ARGV[i + 1])
	end
	at = ends + 1
	return hold
end

local function write(op, key, data, version)
	local space = op % 3 + 1
	local different
	if op % 6 < 3 then
		different = redis.call('HSET', KEYS[space], key, version .. ' ' .. data)
		if different == 1 then redis.call('ZADD', KEYS[space + 3], 0, key) end
	else
		different = redis.call('HDEL', KEYS[space], key)
		if different == 1 then redis.call('ZREM', KEYS[space + 3], key) end
	end
	if op >= 6 then
		redis.call('XADD', log, 'MAXLEN', '~', 20000, '*', 'k', key, 'v', version)
	end
	return space == 1 and different == 1
end

while at <= #ARGV do
	local good = expectations_hold()
	local mine, writes = ARGV[at], tonumber(ARGV[at + 1])
	at = at + 2
	if not good then
		answers[#answers + 1] = '0'
	elseif writes == 0 then
		answers[#answers + 1] = '1'
	else
		newest = math.max(newest + 1, least)
		local version = string.format('%.0f', newest)
		for i = at, at + 3 * writes - 1, 3 do
			if write(tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2], version) then
				cells[mine], cells.w, changed[mine], changed.w = newest, newest, version, version
			end
		end
		answers[#answers + 1] = version
		wrote = true
	end
	at = at + 3 * writes
end

local answer = table.concat(answers, ' ')
if wrote then
	local fields = { 'v', string.format('%.0f', newest) }
	for name, version in pairs(changed) do
		fields[#fields + 1] = name
		fields[#fields + 1] = version
	end
	redis.call('HSET', facts, unpack(fields))
	redis.call('SET', outcome, ARGV[1] .. ' ' .. answer, 'EX', 86400)
end
return answer
