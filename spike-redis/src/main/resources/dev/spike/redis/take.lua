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

Returns {total, sold_before, now_ms, entries}; nil if the sale is absent
  total         of the sale, units, without those that were sold before it was opened
  sold_before   units that were
  entries       as log.lua

Keeps: an entry is taken by one consumer at a time, until it is acknowledged.
]]
local levels = redis.call('HMGET', KEYS[1], 'available', 'reserved', 'sold', 'adopted_sold')
if not (levels[1] and levels[2] and levels[3] and levels[4]) then
  return redis.call('EXISTS', KEYS[1]) == 1 and redis.error_reply('SPIKE ' .. KEYS[1] .. ' is damaged')
end
local time = redis.call('TIME')

-- What other consumers have not acknowledged for that long.
local function left_by_others()
  local ids, from = {}, '-'
  for _ = 1, 20 do
    local idle = redis.call('XPENDING', KEYS[2], ARGV[1], 'IDLE', ARGV[4], from, '+', 500)
    for _, entry in ipairs(idle) do
      if entry[2] ~= ARGV[2] and #ids < tonumber(ARGV[5]) then
        ids[#ids + 1] = entry[1]
      end
    end
    if #idle < 500 or #ids >= tonumber(ARGV[5]) then
      break
    end
    from = '(' .. idle[#idle][1]
  end
  if not ids[1] then
    return {}
  end
  return redis.call('XCLAIM', KEYS[2], ARGV[1], ARGV[2], ARGV[4], unpack(ids))
end

local function take()
  if ARGV[3] == 'idle' then
    return left_by_others()
  end
  local read = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[5], 'STREAMS', KEYS[2],
    ARGV[3] == 'new' and '>' or ARGV[4])
  return read and read[1][2] or {}
end

local done, entries = pcall(take)
if not done then
  local message = type(entries) == 'table' and entries.err or tostring(entries)
  if not string.find(message, 'NOGROUP', 1, true) then
    return redis.error_reply('SPIKE ' .. message)
  end
  redis.call('XGROUP', 'CREATE', KEYS[2], ARGV[1], '0')
  entries = take()
end
return {levels[1] + levels[2] + levels[3] - levels[4], levels[4], time[1] * 1000 + math.floor(time[2] / 1000), entries}
