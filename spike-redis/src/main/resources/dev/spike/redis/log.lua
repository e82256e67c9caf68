#!lua flags=no-writes
--[[
Reads a page of the log.

KEYS[1]  log

ARGV[1]  the sequence after which to read
ARGV[2]  the most entries to read

Returns the entries, each {id, {field, value, …}}: t, when in ms of the epoch; before, how many order events were logged
before it; levels, available, reserved and sold after it; and what happened
  open       the rules
  reserve    the batch, codes and deadline of reserve.lua
  settle     the batch, codes and ended of settle.lua; deadline of the holds that were extended, or empty
  restore    the batch, codes and ended of restore.lua; deadline of the holds that were added, or empty
  restock    the operation's id; delta, units
  close      reopen   correct

Keeps: changes nothing.
]]
return redis.call('XRANGE', KEYS[1], string.format('%.0f-0', ARGV[1] + 1), '+', 'COUNT', ARGV[2])
