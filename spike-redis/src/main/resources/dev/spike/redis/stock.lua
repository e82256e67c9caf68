-- The stock as it is now, and the start of every reply. Included by the scripts that read it. Every field that open.lua
-- writes is looked at, so that one that is lost is noticed by whoever comes next.
local stock = redis.call('HMGET', KEYS[1], 'schema', 'ledger', 'sequence', 'available', 'reserved', 'sold',
  'reservations', 'events', 'acknowledged_events', 'per_buyer', 'hold_ms', 'adopted_sold', 'total', 'max_hold_ms',
  'acknowledged', 'swept', 'swept_of', 'sweep_after_us', 'opens_at_ms', 'closes_at_ms', 'closed', 'adopted_key',
  'adopted_sold_field', 'adopted_total_field', 'opened_as')
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

if not stock[1] and redis.call('EXISTS', KEYS[1]) == 0 then
  return {'absent', '', 0, 0, 0, 0, 0, 0, 0, '', '', now_ms}
elseif stock[1] and stock[1] ~= '2' then
  return redis.error_reply('SPIKE ' .. KEYS[1] .. ' has schema ' .. stock[1] .. ', this version reads 2')
end

for i = 1, 25 do
  local is_number = i > 2 and i < 19 or i < 21 and i > 18 and stock[i] ~= ''
  if not stock[i] or is_number and not tonumber(stock[i]) then
    return redis.error_reply('SPIKE ' .. KEYS[1] .. ' is damaged')
  end
end

local ledger = stock[2]
local sequence, available, reserved = tonumber(stock[3]), tonumber(stock[4]), tonumber(stock[5])
local sold, reservations, events = tonumber(stock[6]), tonumber(stock[7]), tonumber(stock[8])
local total = tonumber(stock[13])
local opens_at_ms, closes_at_ms = stock[19], stock[20]
local phase = 'open'
if stock[21] == '1' or (closes_at_ms ~= '' and now_ms >= tonumber(closes_at_ms)) then
  phase = 'closed'
elseif opens_at_ms ~= '' and now_ms < tonumber(opens_at_ms) then
  phase = 'not_yet_open'
end

local function reply(...)
  return {phase, ledger, sequence, total, available, reserved, sold, reservations, events - stock[9], opens_at_ms,
    closes_at_ms, now_ms, ...}
end
