#!lua
--[[
Records what the order book tells of a batch of reservations, where a lost store knows less.

KEYS[1]  stock
KEYS[2]  reservations
KEYS[3]  log
KEYS[4]  only for a sale over a stock hash prepared by hand: that hash

ARGV[1]  the batch, MessagePack: {buyers, keys, quantities, states}: three arrays of one length, 1 to 512, and a string
         with a letter for each, R reserved, C confirmed, X cancelled or E expired; a key equal to its buyer is sent empty

Returns {phase, …, now_ms, codes}
  phase, …     twelve as levels.lua, after the batch; alone if the sale is not closed
  codes        a letter for each, in order
    R  it was not known; it is reserved now, with a new hold
    C  X  E    it was not known; it is confirmed, cancelled or expired now
    c  x  e    it was reserved; it is confirmed, cancelled or expired now
    r  it was known, as it is or further; nothing changed
    M  it was known with another quantity or another final state; nothing changed
    S  too little is available; nothing changed

Keeps: total = available + reserved + sold. C, X and E never change again. The buyers' limits are not looked at. Each change
is in the log, in the same step. What fails, fails before the first write.

The log entry tells, in ended, for each c, x and e: quantity, time at which it was made in ms of the epoch.
]]
--:include stock.lua
--:include change.lua
--:include records.lua
if phase ~= 'closed' then
  return reply()
end

local buyers, keys, quantities, states = unpack(cmsgpack.unpack(ARGV[1]))
local deadline_ms = string.format('%.0f', now_ms + stock[11])
read(buyers, keys)

local function add(buyer, key, state, quantity)
  local held = (state == 'R' or state == 'C') and quantity or 0
  local own = string.format('%s%s %.0f %d', state, deadline_ms, sequence + 1, quantity)
  local before, first, newest = string.match(records[buyer] or '', '^(%d+)( %a%d+%+?%d* %d+ %d+ [^ ]*)( ?[^ ]*)$')
  if before then
    write(buyer .. '\n' .. key, own .. newest)
    write(buyer, (before + held) .. first .. ' ' .. key)
  else
    write(buyer, held .. ' ' .. own .. ' ' .. key)
  end
  available = available - held
  if state == 'R' then
    reserved = reserved + held
  else
    sold = sold + held
  end
end

local codes, ended, added, events = {}, {}, 0, 0
for i = 1, #buyers do
  local found, state, code = find(buyers[i], keys[i]), string.sub(states, i, i), 'r'
  if found == false then
    return redis.error_reply('SPIKE ' .. KEYS[2] .. ' has a damaged record')
  elseif not found then
    code = state
    if (state == 'R' or state == 'C') and quantities[i] > available then
      code = 'S'
    else
      add(buyers[i], keys[i], state, quantities[i])
      added = added + 1
      events = events + (state == 'R' and 1 or 2)
    end
  elseif found[4] ~= quantities[i] or (found[1] ~= 'R' and state ~= 'R' and found[1] ~= state) then
    code = 'M'
  elseif found[1] == 'R' and state ~= 'R' then
    ended[#ended + 1] = finish(buyers[i], keys[i], found, state)
    code = string.lower(state)
    events = events + 1
  end
  codes[i] = code
end
codes = table.concat(codes)

if events > 0 then
  log(events, 'restore', ARGV[1], 'codes', codes, 'ended', table.concat(ended, ','), 'deadline',
    string.find(codes, 'R', 1, true) and deadline_ms or '')
  redis.call('HSET', KEYS[2], unpack(writes))
  reservations = reservations + added
  save('reservations', reservations)
end
return reply(codes)
