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

Returns {phase, …, now_ms, codes, deadline_ms, deadlines}
  phase, …     twelve as levels.lua, after the batch; alone if the sale is absent or the call late,
               or if the levels are not the total, which every node takes for damage
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
  field buyer              <held> <state><deadline_ms>[+<longer_ms>] <sequence> <quantity> <key>[ <newest>]
and one for each further reservation of that buyer:
  field buyer "\n" key     <state><deadline_ms>[+<longer_ms>] <sequence> <quantity>[ <older>]
held: units of this buyer, reserved and sold. state: R reserved, C confirmed, X cancelled, E expired. longer_ms: by how
much the hold was extended. sequence: of the last change. newest: the key of the buyer's newest further reservation;
older: that of the one before it; left out when there is none.
]]
--:include stock.lua
if now_ms > tonumber(ARGV[1]) or available + reserved + sold ~= total then
  return reply()
end
--:include change.lua

local per_buyer = tonumber(stock[10])
local deadline_ms = string.format('%.0f', now_ms + stock[11])
local buyers, keys, quantities = unpack(cmsgpack.unpack(ARGV[2]))
local n = #buyers
local read = redis.call('HMGET', KEYS[2], unpack(buyers))

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
local hold = 'R' .. deadline_ms .. ' ' .. string.format('%.0f', sequence + 1) .. ' '
local as_first = ' ' .. hold
local one_unit = '1' .. as_first .. '1 '
for i = 1, n do
  local buyer, key, quantity = buyers[i], keys[i], quantities[i]
  local record = records[buyer] or read[i]
  local held, first, state, due, units, first_key, newest, code = 0
  if record then
    held, first, state, due, units, first_key, newest =
      string.match(record, '^(%d+)( (%a)(%d+)%+?%d* %d+ (%d+) ([^ ]*))( ?[^ ]*)$')
    if not held then
      return redis.error_reply('SPIKE ' .. KEYS[2] .. ' has a damaged record')
    end
    if first_key ~= key then
      local own_record = records[buyer .. '\n' .. key]
      state, due, units = string.match(own_record or '', '^(%a)(%d+)%+?%d* %d+ (%d+) ?[^ ]*$')
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
      records[own] = hold .. quantity .. newest
      records[buyer] = (held + quantity) .. first .. ' ' .. key
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
  log(made, 'reserve', ARGV[2], 'codes', codes, 'deadline', deadline_ms)
  redis.call('HSET', KEYS[2], unpack(writes))
  reservations = reservations + made
  save('reservations', reservations)
end
return reply(codes, deadline_ms, deadlines)
