#!lua
--[[
Reserves units for a batch of requests.

KEYS[1]  stock
KEYS[2]  reservations
KEYS[3]  log
KEYS[4]  only for a sale over a stock hash prepared by hand: that hash

ARGV[1]  the last moment at which the call may change anything, ms of the epoch by this server's clock
ARGV[2]  the batch, MessagePack: {buyers, keys, quantities}, arrays of one length, 1 to 512; a key equal to its buyer
         is sent empty
ARGV[3]  only with KEYS[4]: its field with the units sold

Returns {phase, ledger, sequence, available, reserved, sold, reservations, now_ms, codes, deadline_ms, deadlines}
  first eight  as levels.lua, after the batch; alone if the sale is absent or the call late
  codes        a letter for each request, in order
    R  reserved now, until deadline_ms
    r  reserved before under this key, with this quantity
    c  confirmed before   x  cancelled before   e  expired before
    M  this key was used before with another quantity
    N  the sale is not open yet
    Z  the sale is closed
    A  nothing is available, but some is only reserved
    S  too little is available
    L  the buyer's limit would be exceeded
  deadlines    of each r, c, x and e, in order, ms of the epoch

Keeps: total = available + reserved + sold. A key reserves once. A buyer holds at most the limit. Each change is in the
log, in the same step. What fails, fails before the first write.

The reservations hash holds one record for each buyer, with the buyer's first reservation in it:
  field buyer              <held> <state><deadline_ms> <quantity> <key>
and one for each further reservation of that buyer:
  field buyer "\n" key     <state><deadline_ms> <quantity>
held: units of this buyer, reserved and sold. state: R reserved, C confirmed, X cancelled, E expired.
]]
--:include stock.lua

if now_ms > tonumber(ARGV[1]) then
  return {phase, ledger, sequence, available, reserved, sold, reservations, now_ms}
end
local per_buyer = tonumber(stock[8])
local deadline_ms = string.format('%.0f', now_ms + stock[9])
local buyers, keys, quantities = unpack(cmsgpack.unpack(ARGV[2]))
local n = #buyers

buyers[n + 1] = ''
local read = redis.call('HMGET', KEYS[2], unpack(buyers))
if not read[n + 1] then
  return redis.error_reply('SPIKE ' .. KEYS[2] .. ' is lost')
elseif stock[12] ~= (KEYS[4] or '') then
  return redis.error_reply('SPIKE ' .. KEYS[1] .. ' was opened over '
    .. (stock[12] == '' and 'no other hash' or stock[12]))
elseif KEYS[4] and tonumber(redis.call('HGET', KEYS[4], ARGV[3]) or '') ~= reserved + sold then
  return redis.error_reply('SPIKE ' .. KEYS[4] .. ' was changed by somebody else: ' .. ARGV[3] .. ' is not '
    .. reserved + sold)
end

-- Further reservations can only exist where the buyer's record does.
local records, further = {}, {}
for i = 1, n do
  if read[i] then
    further[#further + 1] = buyers[i] .. '\n' .. keys[i]
  end
end
if further[1] then
  local found = redis.call('HMGET', KEYS[2], unpack(further))
  for i = 1, #further do
    records[further[i]] = found[i]
  end
end

local codes, deadlines, writes, w, made = {}, {}, {}, 0, 0
local as_first = ' R' .. deadline_ms .. ' '
local one_unit = '1' .. as_first .. '1 '
for i = 1, n do
  local buyer, key, quantity = buyers[i], keys[i], quantities[i]
  local record = records[buyer] or read[i]
  local held, state, due, units, first_key, code = 0
  if record then
    held, state, due, units, first_key = string.match(record, '^(%d+) (%a)(%d+) (%d+) (.*)$')
    if not held then
      return redis.error_reply('SPIKE ' .. KEYS[2] .. ' has a damaged record')
    end
    if first_key ~= key then
      local own_record = records[buyer .. '\n' .. key]
      state, due, units = string.match(own_record or '', '^(%a)(%d+) (%d+)$')
      if own_record and not state then
        return redis.error_reply('SPIKE ' .. KEYS[2] .. ' has a damaged record')
      end
    end
  end

  if state then
    if tonumber(units) ~= quantity then
      code = 'M'
    else
      code = (state == 'R' and now_ms >= tonumber(due)) and 'e' or string.lower(state)
      deadlines[#deadlines + 1] = due
    end
  elseif phase ~= 'open' then
    code = phase == 'closed' and 'Z' or 'N'
  elseif quantity > available then
    code = (available == 0 and reserved > 0) and 'A' or 'S'
  elseif per_buyer > 0 and held + quantity > per_buyer then
    code = 'L'
  else
    code = 'R'
    available = available - quantity
    reserved = reserved + quantity
    made = made + 1
    if record then
      local own = buyer .. '\n' .. key
      records[own] = 'R' .. deadline_ms .. ' ' .. quantity
      records[buyer] = (held + quantity) .. string.match(record, ' .*$')
      writes[w + 1], writes[w + 2] = own, records[own]
      w = w + 2
    else
      records[buyer] = (quantity == 1 and one_unit or quantity .. as_first .. quantity .. ' ') .. key
    end
    writes[w + 1], writes[w + 2] = buyer, records[buyer]
    w = w + 2
  end
  codes[i] = code
end
codes = table.concat(codes)

if made > 0 then
  sequence = sequence + 1
  reservations = reservations + made
  if not redis.call('XADD', KEYS[3], 'NOMKSTREAM', sequence .. '-0', 't', now_ms, 'reserve', ARGV[2], 'codes', codes,
    'deadline', deadline_ms) then
    return redis.error_reply('SPIKE ' .. KEYS[3] .. ' is lost')
  end
  redis.call('HSET', KEYS[2], unpack(writes))
  redis.call('HSET', KEYS[1], 'sequence', sequence, 'available', available, 'reserved', reserved,
    'reservations', reservations)
  if KEYS[4] then
    redis.call('HSET', KEYS[4], ARGV[3], reserved + sold)
  end
end
return {phase, ledger, sequence, available, reserved, sold, reservations, now_ms, codes, deadline_ms, deadlines}
