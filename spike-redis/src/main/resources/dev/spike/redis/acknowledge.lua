#!lua flags=allow-oom
--[[
Acknowledges entries of the log, and trims it below what every group has acknowledged and the sweep has passed.

KEYS[1]  stock
KEYS[2]  log
KEYS[3]  dead

ARGV[1]   group
ARGV[2…]  the ids of the entries, 0 to 1000

Returns {events, oldest_ms, now_ms, dead}; nil if the sale is absent
  events     order events from the oldest entry on that the group has not acknowledged; all, while there is no such group
  oldest_ms  when the oldest entry that it has not acknowledged was logged, ms of the epoch; empty: there is none
  dead       how many dead letters there are

Keeps: no entry is trimmed that some group has not acknowledged, or whose holds may still have to expire.
]]
local stock = redis.call('HMGET', KEYS[1], 'events', 'swept')
if not stock[1] or not stock[2] then
  return redis.call('EXISTS', KEYS[1]) == 1 and redis.error_reply('SPIKE ' .. KEYS[1] .. ' is damaged')
end
local dead = redis.call('XLEN', KEYS[3])
--:include permission.lua
local no_write = refused('HSET', KEYS[1], '', '') or refused('XTRIM', KEYS[2], 'MINID', '0')
if no_write then
  return no_write
end
if ARGV[2] then
  redis.call('XACK', KEYS[2], ARGV[1], unpack(ARGV, 2))
end

local function fields(flat)
  local of = {}
  for i = 1, #flat, 2 do
    of[flat[i]] = flat[i + 1]
  end
  return of
end

-- How many order events were logged up to this sequence, and when the entry after it was logged. Passes over an entry that
-- makes no sense.
local function position(sequence)
  local following = redis.call('XRANGE', KEYS[2], string.format('%.0f-0', sequence + 1), '+', 'COUNT', 10)
  for i = 1, #following do
    local of = fields(following[i][2])
    if tonumber(of.before or '') and tonumber(of.t or '') then
      return tonumber(of.before), of.t
    end
  end
  return tonumber(stock[1]), ''
end

local own, every
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[2])) do
  local of = fields(group)
  local upto = tonumber(string.match(of['last-delivered-id'], '^%d+'))
  if of.pending > 0 then
    upto = tonumber(string.match(redis.call('XPENDING', KEYS[2], of.name)[2], '^%d+')) - 1
  end
  own = of.name == ARGV[1] and upto or own
  every = math.min(every or upto, upto)
end
if every then
  redis.call('HSET', KEYS[1], 'acknowledged', string.format('%.0f', every),
    'acknowledged_events', string.format('%.0f', (position(every))))
  redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f-0', math.min(every, tonumber(stock[2])) + 1),
    'LIMIT', 1000)
end
local events, oldest_ms = position(own or 0)
local time = redis.call('TIME')
return {stock[1] - events, oldest_ms, time[1] * 1000 + math.floor(time[2] / 1000), dead}
