#!lua flags=no-writes
--[[
Finds one reservation.

KEYS[1]  stock
KEYS[2]  reservations

ARGV[1]  buyer
ARGV[2]  key; empty if it equals the buyer

Returns {now_ms, acknowledged, hold_ms, first, further}
  acknowledged  the sequence up to which every group has acknowledged the log; nil if the sale is absent
  hold_ms       the sale's hold time
  first         the buyer's record, as reserve.lua describes it; nil if there is none
  further       the record under the buyer and this key; nil if there is none

Keeps: changes nothing. Finds nothing only where there is nothing: lost reservations are an error.
]]
--:include lookup.lua
local read = redis.call('HMGET', KEYS[2], ARGV[1], ARGV[1] .. '\n' .. ARGV[2])
return {now_ms, acknowledged, hold_ms, read[1], read[2]}
