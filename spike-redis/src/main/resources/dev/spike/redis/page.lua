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
local time = redis.call('TIME')
local stock = redis.call('HMGET', KEYS[1], 'acknowledged', 'hold_ms')
if stock[1] and redis.call('HEXISTS', KEYS[2], '') == 0 then
  return redis.error_reply('SPIKE ' .. KEYS[2] .. ' is lost')
end
local page = redis.call('HSCAN', KEYS[2], ARGV[1], 'COUNT', ARGV[2])
return {time[1] * 1000 + math.floor(time[2] / 1000), stock[1], stock[2], page[1], page[2]}
