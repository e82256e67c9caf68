#!lua flags=no-writes
--[[
Finds one reservation.

KEYS[1]  reservations

ARGV[1]  buyer
ARGV[2]  key; empty if it equals the buyer

Returns {now_ms, first, further}
  first    the buyer's record, as reserve.lua describes it; nil if there is none
  further  the record under the buyer and this key; nil if there is none

Keeps: changes nothing.
]]
local time = redis.call('TIME')
local read = redis.call('HMGET', KEYS[1], ARGV[1], ARGV[1] .. '\n' .. ARGV[2])
return {time[1] * 1000 + math.floor(time[2] / 1000), read[1], read[2]}
