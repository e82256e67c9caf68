#!lua flags=allow-oom
--[[
Raises or lowers the total of a sale, once for each operation.

KEYS[1]  stock
KEYS[2]  reservations
KEYS[3]  log
KEYS[4]  only for a sale over a stock hash prepared by hand: that hash

ARGV[1]  the operation's id
ARGV[2]  units to add; negative: to take away
ARGV[3]  the largest total that a sale may have

Returns {phase, …, now_ms, effect, applied}
  phase, …     twelve as levels.lua, after the change; alone if the sale is absent
  effect       applied | repeated | other_delta
  applied      by how many units the total was changed under this id

Keeps: total = available + reserved + sold. Only available units are taken away. The change is in the log, in the same step.
What fails, fails before the first write. Runs also when memory is full.
]]
--:include stock.lua
--:include change.lua

local known = redis.call('HGET', KEYS[1], 'operation:' .. ARGV[1])
if known then
  local delta, applied = string.match(known, '^(%S+) (%S+)$')
  if delta ~= ARGV[2] then
    return reply('other_delta', 0)
  end
  return reply('repeated', tonumber(applied))
end
local applied = 0 + math.max(-available, math.min(tonumber(ARGV[2]), tonumber(ARGV[3]) - total))
available, total = available + applied, total + applied
log(0, 'restock', ARGV[1], 'delta', applied)
if KEYS[4] then
  redis.call('HSET', KEYS[4], stock[24], total)
end
save('total', total, 'operation:' .. ARGV[1], ARGV[2] .. ' ' .. applied)
return reply('applied', applied)
