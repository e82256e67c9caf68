-- The stock as it is now, and the start of every reply. Included by the scripts that read it.
local stock = redis.call('HMGET', KEYS[1], 'schema', 'ledger', 'sequence', 'available', 'reserved', 'sold',
  'reservations', 'events', 'acknowledged_events', 'per_buyer', 'hold_ms', 'adopted_sold', 'opens_at_ms', 'closes_at_ms',
  'closed', 'adopted_key', 'adopted_sold_field', 'total')
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

if not stock[1] then
  return {'absent', '', 0, 0, 0, 0, 0, 0, 0, '', '', now_ms}
elseif stock[1] ~= '2' then
  return redis.error_reply('SPIKE ' .. KEYS[1] .. ' has schema ' .. stock[1] .. ', this version reads 2')
end

for i = 2, 14 do
  if not stock[i] or (i > 2 and stock[i] ~= '' and not tonumber(stock[i])) or (i > 2 and i < 13 and stock[i] == '') then
    return redis.error_reply('SPIKE ' .. KEYS[1] .. ' is damaged')
  end
end
local total = tonumber(stock[18] or '')
if not total then
  return redis.error_reply('SPIKE ' .. KEYS[1] .. ' is damaged')
end

local ledger = stock[2]
local sequence, available, reserved = tonumber(stock[3]), tonumber(stock[4]), tonumber(stock[5])
local sold, reservations, events = tonumber(stock[6]), tonumber(stock[7]), tonumber(stock[8])
local opens_at_ms, closes_at_ms = stock[13], stock[14]
local phase = 'open'
if stock[15] == '1' or (closes_at_ms ~= '' and now_ms >= tonumber(closes_at_ms)) then
  phase = 'closed'
elseif opens_at_ms ~= '' and now_ms < tonumber(opens_at_ms) then
  phase = 'not_yet_open'
end

local function reply(...)
  return {phase, ledger, sequence, total, available, reserved, sold, reservations, events - stock[9], opens_at_ms,
    closes_at_ms, now_ms, ...}
end
