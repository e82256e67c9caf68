#!lua flags=no-writes
--[[
Tells what the user of this connection may not do, of all that this package needs.

ARGV[1]  a key with which it must be able to do that
ARGV[2]  1: also that it may wait for replicas; empty: not that

Returns the rules of ACL SETUSER that are missing: ~key, else each +command; none: all is allowed

Keeps: changes nothing, and reads nothing.
]]
local subcommands = {XGROUP = true, XINFO = true}
local missing = {}
local function need(...)
  if not redis.acl_check_cmd(...) then
    local command, subcommand = ...
    missing[#missing + 1] = '+' .. string.lower(subcommands[command] and (command .. '|' .. subcommand) or command)
  end
end

local key = ARGV[1]
-- This script runs, so its user may run EVAL: if not with the key, then it is the key, and no command can be told apart.
if not redis.acl_check_cmd('EVAL', '', '1', key) then
  return {'~' .. key}
end
need('EVALSHA', '', '1', key)
need('EXISTS', key)
need('HEXISTS', key, '')
need('HGET', key, '')
need('HMGET', key, '')
need('HSCAN', key, '0')
need('HSET', key, '', '')
need('INFO')
need('PING')
need('TIME')
need('TYPE', key)
if ARGV[2] == '1' then
  need('WAIT', '1', '1')
end
need('XACK', key, '', '0')
need('XADD', key, '*', '', '')
need('XCLAIM', key, '', '', '0', '0')
need('XGROUP', 'CREATE', key, '', '0')
need('XINFO', 'GROUPS', key)
need('XLEN', key)
need('XPENDING', key, '')
need('XRANGE', key, '-', '+')
need('XREADGROUP', 'GROUP', '', '', 'STREAMS', key, '>')
need('XTRIM', key, 'MINID', '0')
return missing
