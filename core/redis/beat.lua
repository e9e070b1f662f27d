#!lua
-- beat.lua -- a broker says that it lives, and hears who else does.
--
-- KEYS: the brokers, by the time of their last word          ARGV: which one this is; for how many seconds a word counts
-- Answer: all that live.
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (now - ARGV[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1)
