#!lua flags=no-writes
--[[
Reads a page of the reservations.

KEYS[1]  stock
KEYS[2]  reservations

ARGV[1]  cursor of HSCAN; 0 for the first page
ARGV[2]  about how many records to read

Returns {now_ms, acknowledged, hold_ms, cursor, records}
  acknowledged  hold_ms  as find.lua
  cursor        of the next page; 0 after the last
  records       field and value in turn, as reserve.lua describes them, and the one with the empty field

Keeps: changes nothing. A record that exists all the while is in at least one page; lost reservations are
an error, and no page without any.
]]
--:include lookup.lua
local page = redis.call('HSCAN', KEYS[2], ARGV[1], 'COUNT', ARGV[2])
return {now_ms, acknowledged, hold_ms, page[1], page[2]}
