#!lua flags=no-writes
--[[
Tells the levels of a sale.

KEYS[1]  stock

Returns {phase, ledger, sequence, available, reserved, sold, reservations, now_ms}
  phase    absent | not_yet_open | open | closed; when absent the rest is empty or 0, but for now_ms

Keeps: changes nothing.
]]
--:include stock.lua

return {phase, ledger, sequence, available, reserved, sold, reservations, now_ms}
