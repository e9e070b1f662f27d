#!lua
-- meta.lua -- what a store is, said by whoever opens it first.
--
-- KEYS: its record          ARGV: format, buckets, a random id
-- Answer: what it says.
if redis.call('EXISTS', KEYS[1]) == 0 then
	redis.call('HSET', KEYS[1], 'format', ARGV[1], 'buckets', ARGV[2], 'id', ARGV[3])
end
return redis.call('HMGET', KEYS[1], 'format', 'buckets', 'id')
