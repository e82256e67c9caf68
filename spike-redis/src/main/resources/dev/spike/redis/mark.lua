#!lua flags=allow-oom
--[[
Writes something, so that a WAIT after it waits for all that was written before, on whichever connection.

KEYS[1]  stock

Returns
  1  written
  0  there is no such sale, or it is another version's

Keeps: a sale that does not exist is not made. Runs also when memory is full.
]]
if redis.call('HGET', KEYS[1], 'schema') ~= '2' then
  return 0
end
redis.call('HSET', KEYS[1], 'marked', '')
return 1
