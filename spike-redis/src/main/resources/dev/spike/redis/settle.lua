#!lua flags=allow-oom
--[[
Confirms or cancels a batch of reservations.

KEYS[1]  stock
KEYS[2]  reservations
KEYS[3]  log
KEYS[4]  only for a sale over a stock hash prepared by hand: that hash

ARGV[1]  the last moment at which the call may change anything, ms of the epoch by this server's clock
ARGV[2]  the batch, MessagePack: {buyers, keys, ends}: two arrays of one length, 1 to 512, and a string with a letter for
         each, C confirm or X cancel; a key equal to its buyer is sent empty
ARGV[3]  only with KEYS[4]: its field with the units sold

Returns {phase, ledger, sequence, available, reserved, sold, reservations, now_ms, codes, found}
  first eight  as levels.lua, after the batch; alone if the sale is absent or the call late
  codes        a letter for each wish, in order
    C  confirmed now      c  confirmed before
    X  cancelled now      x  cancelled before
    E  expired now, since the wish came too late      e  expired before
    F  there is no such reservation
  found        of each but F, in order: quantity, deadline in ms of the epoch

Keeps: total = available + reserved + sold. C, X and E never change again. Units that come back leave the buyer's count.
Each change is in the log, in the same step. What fails, fails before the first write. Runs also when memory is full.

The records are described in reserve.lua.
]]
--:include stock.lua

if now_ms > tonumber(ARGV[1]) then
  return {phase, ledger, sequence, available, reserved, sold, reservations, now_ms}
end
local buyers, keys, ends = unpack(cmsgpack.unpack(ARGV[2]))
local n = #buyers

local fields = {''}
for i = 1, n do
  fields[2 * i] = buyers[i]
  fields[2 * i + 1] = buyers[i] .. '\n' .. keys[i]
end
local read = redis.call('HMGET', KEYS[2], unpack(fields))
if not read[1] then
  return redis.error_reply('SPIKE ' .. KEYS[2] .. ' is lost')
elseif stock[12] ~= (KEYS[4] or '') then
  return redis.error_reply('SPIKE ' .. KEYS[1] .. ' was opened over '
    .. (stock[12] == '' and 'no other hash' or stock[12]))
elseif KEYS[4] and tonumber(redis.call('HGET', KEYS[4], ARGV[3]) or '') ~= reserved + sold then
  return redis.error_reply('SPIKE ' .. KEYS[4] .. ' was changed by somebody else: ' .. ARGV[3] .. ' is not '
    .. reserved + sold)
end
local records = {}
for i = 2, 2 * n + 1 do
  records[fields[i]] = read[i]
end

local codes, found, writes, before = {}, {}, {}, reserved
for i = 1, n do
  local buyer, own = fields[2 * i], fields[2 * i + 1]
  local record = records[buyer]
  local held, state, due, units, first_key
  local code = 'F'
  if record then
    held, state, due, units, first_key = string.match(record, '^(%d+) (%a)(%d+) (%d+) (.*)$')
    if not held then
      return redis.error_reply('SPIKE ' .. KEYS[2] .. ' has a damaged record')
    end
    if first_key ~= keys[i] then
      local own_record = records[own]
      state, due, units = string.match(own_record or '', '^(%a)(%d+) (%d+)$')
      if own_record and not state then
        return redis.error_reply('SPIKE ' .. KEYS[2] .. ' has a damaged record')
      end
    end
  end

  if state and state ~= 'R' then
    code = string.lower(state)
  elseif state then
    code = now_ms >= tonumber(due) and 'E' or string.sub(ends, i, i)
    reserved = reserved - units
    if code == 'C' then
      sold = sold + units
    else
      available = available + units
      held = held - units
    end
    local ended = code .. due .. ' ' .. units
    if first_key == keys[i] then
      records[buyer] = held .. ' ' .. ended .. ' ' .. first_key
    else
      records[own] = ended
      records[buyer] = held .. string.match(record, ' .*$')
      writes[#writes + 1] = own
      writes[#writes + 1] = ended
    end
    writes[#writes + 1] = buyer
    writes[#writes + 1] = records[buyer]
  end
  if state then
    found[#found + 1] = units
    found[#found + 1] = due
  end
  codes[i] = code
end
codes = table.concat(codes)

if reserved < before then
  sequence = sequence + 1
  if not redis.call('XADD', KEYS[3], 'NOMKSTREAM', sequence .. '-0', 't', now_ms, 'settle', ARGV[2],
    'codes', codes) then
    return redis.error_reply('SPIKE ' .. KEYS[3] .. ' is lost')
  end
  redis.call('HSET', KEYS[2], unpack(writes))
  redis.call('HSET', KEYS[1], 'sequence', sequence, 'available', available, 'reserved', reserved, 'sold', sold)
  if KEYS[4] then
    redis.call('HSET', KEYS[4], ARGV[3], reserved + sold)
  end
end
return {phase, ledger, sequence, available, reserved, sold, reservations, now_ms, codes, found}
