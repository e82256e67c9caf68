#!lua flags=no-writes
--[[
Reads a page of a buyer's reservations, at most 100: the first one, then the further ones from the newest on.

KEYS[1]  stock
KEYS[2]  reservations

ARGV[1]  buyer
ARGV[2]  cursor; empty for the first page

Returns {now_ms, acknowledged, hold_ms, cursor, records}
  acknowledged  hold_ms  as find.lua
  cursor        of the next page; empty after the last
  records       field and value in turn, as reserve.lua describes them

Keeps: changes nothing. Comes to an end also where a record is lost: the page of a cursor that names none is empty, and the
last. Where all are lost, it is an error.
]]
--:include lookup.lua
local records, n = {}, 0
local cursor = string.match(ARGV[2], '^k(.*)$')
if not cursor then
  local first = redis.call('HGET', KEYS[2], ARGV[1])
  if first then
    records, n = {ARGV[1], first}, 1
    cursor = string.match(first, '^%d+ %S+ %d+ %d+ [^ ]* ([^ ]*)$')
  end
end
while cursor and n < 100 do
  local field = ARGV[1] .. '\n' .. cursor
  local record = redis.call('HGET', KEYS[2], field)
  if not record then
    cursor = n > 0 and cursor or nil
    break
  end
  n = n + 1
  records[2 * n - 1], records[2 * n] = field, record
  cursor = string.match(record, '^%S+ %d+ %d+ ([^ ]*)$')
end
return {now_ms, acknowledged, hold_ms, cursor and ('k' .. cursor) or '', records}
