#!lua flags=allow-oom
--[[
Puts events of an entry that cannot be written into the stream of dead letters, and acknowledges the entry.

KEYS[1]  log
KEYS[2]  dead

ARGV[1]   group
ARGV[2]   id of the entry
ARGV[3]   consumer
ARGV[4]   for how many ms the consumer has tried to write it; empty: long enough, whatever others have taken
ARGV[5…]  of each event in turn: reservation's id, buyer, key, quantity, state, time at which it was made in ms of the epoch,
          error; all but the error empty for an entry that cannot be read

Returns
  done
  not_yet      nothing changed, since the group has not acknowledged an older entry, or another consumer has not one that
               it took before these tries
  not_needed   nothing changed, since the group has acknowledged this one, or does not exist

Keeps: an event leaves the log's group only into the dead letters, in one step. An order that seems one too many may only
wait for one that frees units and that another consumer has not written yet: an older one, or a newer one whose units others
have got already.
]]
local taken = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
if taken.err and (not string.find(taken.err, 'NOGROUP', 1, true) or redis.call('EXISTS', KEYS[1]) == 0) then
  return redis.error_reply('SPIKE ' .. taken.err)
elseif not taken[1] then
  return 'not_needed'
elseif redis.call('XPENDING', KEYS[1], ARGV[1])[2] ~= ARGV[2] then
  return 'not_yet'
elseif ARGV[4] ~= '' then
  for _, entry in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[4], '-', '+', 1000)) do
    if entry[2] ~= ARGV[3] then
      return 'not_yet'
    end
  end
end
--:include permission.lua
local no_xack = refused('XACK', KEYS[1], ARGV[1], ARGV[2])
if no_xack then
  return no_xack
end
for i = 5, #ARGV, 7 do
  redis.call('XADD', KEYS[2], '*', 'entry', ARGV[2], 'group', ARGV[1], 'id', ARGV[i], 'buyer', ARGV[i + 1],
    'key', ARGV[i + 2], 'quantity', ARGV[i + 3], 'state', ARGV[i + 4], 'reserved_at_ms', ARGV[i + 5],
    'error', ARGV[i + 6])
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return 'done'
