#!lua flags=allow-oom
--[[
Takes entries from the log for a consumer of a group. Makes the group, from the start of the log, if it does not exist.

KEYS[1]  stock
KEYS[2]  log

ARGV[1]  group
ARGV[2]  consumer
ARGV[3]  own: taken before and not yet acknowledged; idle: taken by others and not acknowledged for long; new: not yet taken
ARGV[4]  of own, the id after which to read; of idle, for how long in ms
ARGV[5]  the most entries to take

Returns {total, now_ms, entries}; nil if the sale is absent
  total     of the sale, units, without those that were sold before it was opened
  entries   as log.lua

Keeps: an entry is taken by one consumer at a time, until it is acknowledged.
]]
local levels = redis.call('HMGET', KEYS[1], 'available', 'reserved', 'sold', 'adopted_sold')
if not levels[1] then
  return false
end
local time = redis.call('TIME')
local made = redis.pcall('XGROUP', 'CREATE', KEYS[2], ARGV[1], '0')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then
  return made
end

local entries = {}
if ARGV[3] == 'idle' then
  entries = redis.call('XAUTOCLAIM', KEYS[2], ARGV[1], ARGV[2], ARGV[4], '0', 'COUNT', ARGV[5])[2]
else
  local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[5], 'STREAMS', KEYS[2],
    ARGV[3] == 'new' and '>' or ARGV[4])
  if read then
    entries = read[1][2]
  end
end
return {levels[1] + levels[2] + levels[3] - levels[4], time[1] * 1000 + math.floor(time[2] / 1000), entries}
