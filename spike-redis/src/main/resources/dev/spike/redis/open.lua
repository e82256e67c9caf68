#!lua
--[[
Opens a sale, if it does not exist yet.

KEYS[1]  stock
KEYS[2]  reservations
KEYS[3]  log
KEYS[4]  only for a sale over a stock hash prepared by hand: that hash

ARGV[1]  a fresh random id: the ledger
ARGV[2]  total, units
ARGV[3]  per-buyer limit, units; 0: none
ARGV[4]  hold time, ms
ARGV[5]  the longest that a hold may be extended to, ms
ARGV[6]  opening time, ms of the epoch; empty: at once
ARGV[7]  closing time, ms of the epoch; empty: never
ARGV[8]  1: closed until it is reopened; empty: as the times say
ARGV[9]  only with KEYS[4]: its field with the total
ARGV[10]  only with KEYS[4]: its field with the units sold

Returns
  opened        the sale exists now
  already_open  it existed, and was opened under the same rules; nothing changed
  other_rules   it existed, and was opened under other rules; nothing changed
Error SPIKE    the keys, or the hash prepared by hand, are not fit; nothing changed

Keeps: total = available + reserved + sold. All three keys exist from now on, so that one that vanishes is noticed.
]]
local rules = table.concat(ARGV, ' ', 2, 7)
local known = redis.call('HMGET', KEYS[1], 'schema', 'opened_as', 'adopted_key')
if known[1] then
  if known[3] and known[3] ~= (KEYS[4] or '') then
    return redis.error_reply('SPIKE ' .. KEYS[1] .. ' was opened '
      .. (known[3] == '' and 'without a hash to adopt' or 'over ' .. known[3]))
  end
  return known[2] == rules and 'already_open' or 'other_rules'
end
if redis.call('EXISTS', KEYS[1], KEYS[2], KEYS[3]) > 0 then
  return redis.error_reply('SPIKE there is no sale in ' .. KEYS[1] .. ', but a part of one is left in '
    .. KEYS[1] .. ', ' .. KEYS[2] .. ' or ' .. KEYS[3])
end

local sold = 0
if KEYS[4] then
  local kind = redis.call('TYPE', KEYS[4]).ok
  if kind ~= 'hash' then
    return redis.error_reply('SPIKE must be a hash: ' .. KEYS[4] .. ' is '
      .. (kind == 'none' and 'missing' or 'a ' .. kind))
  end
  local adopted = redis.call('HMGET', KEYS[4], ARGV[9], ARGV[10])
  for i = 1, 2 do
    if not adopted[i] or not string.match(adopted[i], '^%d+$') then
      return redis.error_reply('SPIKE must be a number of units: field ' .. ARGV[i + 8] .. ' of ' .. KEYS[4]
        .. ' is ' .. (adopted[i] or 'missing'))
    end
  end
  sold = tonumber(adopted[2])
  if tonumber(adopted[1]) ~= tonumber(ARGV[2]) then
    return redis.error_reply('SPIKE must be the total of the sale, ' .. ARGV[2] .. ': field ' .. ARGV[9] .. ' of '
      .. KEYS[4] .. ' is ' .. adopted[1])
  elseif sold > tonumber(ARGV[2]) then
    return redis.error_reply('SPIKE must be at most the total, ' .. ARGV[2] .. ': field ' .. ARGV[10] .. ' of '
      .. KEYS[4] .. ' is ' .. adopted[2])
  end
end

--:include permission.lua
local no_hset = refused('HSET', KEYS[1], '', '') or refused('HSET', KEYS[2], '', '')
if no_hset then
  return no_hset
end
local time = redis.call('TIME')
redis.call('XADD', KEYS[3], '1-0', 't', time[1] * 1000 + math.floor(time[2] / 1000), 'before', 0, 'levels',
  (ARGV[2] - sold) .. ' 0 ' .. sold, 'open', rules)
redis.call('HSET', KEYS[2], '', '1')
redis.call('HSET', KEYS[1], 'schema', '2', 'ledger', ARGV[1], 'sequence', 1, 'available', ARGV[2] - sold,
  'reserved', 0, 'sold', sold, 'reservations', 0, 'events', 0, 'acknowledged', 0, 'acknowledged_events', 0,
  'swept', 1, 'swept_of', 0, 'sweep_after_us', 0, 'opened_as', rules, 'total', ARGV[2], 'per_buyer', ARGV[3],
  'hold_ms', ARGV[4], 'max_hold_ms', ARGV[5], 'opens_at_ms', ARGV[6], 'closes_at_ms', ARGV[7], 'closed', ARGV[8],
  'adopted_key', KEYS[4] or '', 'adopted_total_field', ARGV[9] or '', 'adopted_sold_field', ARGV[10] or '',
  'adopted_sold', sold)
return 'opened'
