-- Looks for damage, and writes a change. Included, after stock.lua, by the scripts that change a sale.
--:include permission.lua
if redis.call('HEXISTS', KEYS[2], '') == 0 then
  return redis.error_reply('SPIKE ' .. KEYS[2] .. ' is lost')
elseif redis.call('EXISTS', KEYS[3]) == 0 then
  return redis.error_reply('SPIKE ' .. KEYS[3] .. ' is lost')
elseif stock[22] ~= (KEYS[4] or '') then
  return redis.error_reply('SPIKE ' .. KEYS[1] .. ' was opened '
    .. (stock[22] == '' and 'without a hash to adopt' or 'over ' .. stock[22]))
elseif KEYS[4] then
  local adopted, units = redis.call('HMGET', KEYS[4], stock[23], stock[24]), {reserved + sold, total}
  for i = 1, 2 do
    if tonumber(adopted[i] or '') ~= units[i] then
      return redis.error_reply('SPIKE ' .. KEYS[4] .. ' was changed by somebody else: ' .. stock[22 + i] .. ' is not '
        .. units[i])
    end
  end
end
local no_hset = refused('HSET', KEYS[1], '', '') or refused('HSET', KEYS[2], '', '')
  or KEYS[4] and refused('HSET', KEYS[4], '', '')
if no_hset then
  return no_hset
end

-- The first write of a script: the entry of the log, and with it the sequence. count: of order events in it.
local function log(count, ...)
  sequence = sequence + 1
  redis.call('XADD', KEYS[3], sequence .. '-0', 't', now_ms, 'before', events, 'levels',
    available .. ' ' .. reserved .. ' ' .. sold, ...)
  events = events + count
end

-- The last write of a script: the levels, and other fields of the stock.
local function save(...)
  redis.call('HSET', KEYS[1], 'sequence', sequence, 'available', available, 'reserved', reserved, 'sold', sold,
    'events', events, ...)
  if KEYS[4] then
    redis.call('HSET', KEYS[4], stock[23], reserved + sold)
  end
end
