-- The stock as it is now, and the start of every reply. Included by the scripts that read it.
local stock = redis.call('HMGET', KEYS[1], 'schema', 'ledger', 'sequence', 'available', 'reserved', 'sold',
  'reservations', 'per_buyer', 'hold_ms', 'opens_at_ms', 'closes_at_ms', 'adopted_key')
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

if not stock[1] then
  return {'absent', '', 0, 0, 0, 0, 0, now_ms}
elseif stock[1] ~= '1' then
  return redis.error_reply('SPIKE ' .. KEYS[1] .. ' has schema ' .. stock[1] .. ', this version reads 1')
end

for i = 2, 11 do
  if not stock[i] or (i > 2 and stock[i] ~= '' and not tonumber(stock[i])) or (i > 2 and i < 10 and stock[i] == '') then
    return redis.error_reply('SPIKE ' .. KEYS[1] .. ' is damaged')
  end
end

local ledger = stock[2]
local sequence, available, reserved = tonumber(stock[3]), tonumber(stock[4]), tonumber(stock[5])
local sold, reservations = tonumber(stock[6]), tonumber(stock[7])
local phase = 'open'
if stock[10] ~= '' and now_ms < tonumber(stock[10]) then
  phase = 'not_yet_open'
elseif stock[11] ~= '' and now_ms >= tonumber(stock[11]) then
  phase = 'closed'
end
