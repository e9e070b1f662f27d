#!lua flags=no-writes
-- changes.lua -- what stands in one bucket's log of changes.
--
-- KEYS: the log          ARGV: the id to begin at, '' for none; at most so many
-- Answer: how many were ever added, how many are there, the id of the last one, the entries from that id on.
if redis.call('EXISTS', KEYS[1]) == 0 then
	return { 0, 0, '0-0', {} }
end
local about, is = redis.call('XINFO', 'STREAM', KEYS[1]), {}
for i = 1, #about, 2 do
	is[about[i]] = about[i + 1]
end
local entries = ARGV[1] ~= '' and redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2]) or {}
return { is['entries-added'], is.length, is['last-generated-id'], entries }
