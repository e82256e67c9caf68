#!lua flags=allow-oom
--[[
Closes a sale, or opens a closed one again.

KEYS[1]  stock
KEYS[2]  reservations
KEYS[3]  log
KEYS[4]  only for a sale over a stock hash prepared by hand: that hash

ARGV[1]  close | reopen

Returns {phase, …, now_ms} as levels.lua, after the change

Keeps: total = available + reserved + sold. Changes nothing if the sale is closed, or not closed, already. A closing time
that has passed is gone after reopening. The change is in the log, in the same step. Runs also when memory is full.
]]
--:include stock.lua
--:include change.lua

if ARGV[1] == 'close' and phase ~= 'closed' then
  phase = 'closed'
  log(0, 'close', '')
  save('closed', '1')
elseif ARGV[1] == 'reopen' and phase == 'closed' then
  if closes_at_ms ~= '' and now_ms >= tonumber(closes_at_ms) then
    closes_at_ms = ''
  end
  phase = (opens_at_ms ~= '' and now_ms < tonumber(opens_at_ms)) and 'not_yet_open' or 'open'
  log(0, 'reopen', '')
  save('closed', '', 'closes_at_ms', closes_at_ms)
end
return reply()
