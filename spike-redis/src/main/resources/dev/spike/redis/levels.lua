#!lua flags=no-writes
--[[
Tells the levels of a sale.

KEYS[1]  stock

Returns {phase, ledger, sequence, total, available, reserved, sold, reservations, backlog, opens_at_ms, closes_at_ms,
         now_ms}
  phase         absent | not_yet_open | open | closed; when absent the rest is empty or 0, but for now_ms
  total         as it is kept beside the levels, whose sum it is unless the stock is damaged
  backlog       order events that are logged and not yet acknowledged by every group
  opens_at_ms   closes_at_ms   empty: none

Keeps: changes nothing.
]]
--:include stock.lua

return reply()
