#!lua flags=allow-oom
--[[
Puts levels and counts right that damage made wrong.

KEYS[1]  stock
KEYS[2]  reservations
KEYS[3]  log
KEYS[4]  only for a sale over a stock hash prepared by hand: that hash

ARGV[1]  the sequence at which they were found wrong
ARGV[2]  reserved, units, as it should be
ARGV[3]  sold, units, as it should be
ARGV[4]  how many reservations there are
ARGV[5]  MessagePack: {buyers, held}, arrays of one length, 0 to 512: counts of buyers as they should be

Returns {phase, …, now_ms, done}
  phase, …     twelve as levels.lua, after the correction; alone if the sale is absent
  done         corrected; moved: the sale changed since, nothing was done; exceeds: the levels exceed the total, nothing was
               done

Keeps: total = available + reserved + sold, with the total as it is. The change is in the log, in the same step. What fails,
fails before the first write. Runs also when memory is full.
]]
--:include stock.lua
if sequence ~= tonumber(ARGV[1]) then
  return reply('moved')
end

-- The hash prepared by hand may have the right count already; then it is not this that is to be noticed as damage.
local corrected = ARGV[2] + ARGV[3]
if KEYS[4] and stock[22] == KEYS[4] and tonumber(redis.call('HGET', KEYS[4], stock[23]) or '') == corrected then
  reserved, sold = tonumber(ARGV[2]), tonumber(ARGV[3])
end
--:include change.lua

local buyers, held = unpack(cmsgpack.unpack(ARGV[5]))
local records, writes = {}, {}
if buyers[1] then
  records = redis.call('HMGET', KEYS[2], unpack(buyers))
end
for i = 1, #buyers do
  local rest = string.match(records[i] or '', '^%d+( .*)$')
  if not rest then
    return redis.error_reply('SPIKE ' .. KEYS[2] .. ' has a damaged record')
  end
  writes[2 * i - 1], writes[2 * i] = buyers[i], held[i] .. rest
end

if corrected > total then
  return reply('exceeds')
end
reserved, sold = tonumber(ARGV[2]), tonumber(ARGV[3])
available = total - reserved - sold
log(0, 'correct', ARGV[5])
if writes[1] then
  redis.call('HSET', KEYS[2], unpack(writes))
end
reservations = tonumber(ARGV[4])
save('reservations', reservations)
return reply('corrected')
