#!lua flags=allow-oom
--[[
Confirms or cancels a batch of reservations, or extends their holds.

KEYS[1]  stock
KEYS[2]  reservations
KEYS[3]  log
KEYS[4]  only for a sale over a stock hash prepared by hand: that hash

ARGV[1]  the last moment at which the call may change anything, ms of the epoch by this server's clock
ARGV[2]  the batch, MessagePack: {buyers, keys, wishes}: two arrays of one length, 1 to 512, and a string with a letter for
         each, C confirm, X cancel or R extend; a key equal to its buyer is sent empty

Returns {phase, …, now_ms, codes, found}
  phase, …     twelve as levels.lua, after the batch; alone if the sale is absent or the call late
  codes        a letter for each wish, in order
    C  confirmed now      c  confirmed before
    X  cancelled now      x  cancelled before
    E  expired now, since the wish came too late      e  expired before
    R  extended now
    L  not extended: the sale allows no longer hold
    F  there is no such reservation
  found        of each but L and F, in order: quantity, deadline in ms of the epoch

Keeps: total = available + reserved + sold. C, X and E never change again. Units that come back leave the buyer's count.
Each change is in the log, in the same step. What fails, fails before the first write. Runs also when memory is full.

The log entry tells, in ended, for each C, X and E: quantity, time at which it was made in ms of the epoch.
]]
--:include stock.lua
if now_ms > tonumber(ARGV[1]) then
  return reply()
end
--:include change.lua
--:include records.lua

local buyers, keys, wishes = unpack(cmsgpack.unpack(ARGV[2]))
local longest_ms = tonumber(stock[14])
read(buyers, keys)

local codes, told, ended, extended = {}, {}, {}, false
for i = 1, #buyers do
  local found = find(buyers[i], keys[i])
  local code = 'F'
  if found == false then
    return redis.error_reply('SPIKE ' .. KEYS[2] .. ' has a damaged record')
  elseif found and found[1] ~= 'R' then
    code = string.lower(found[1])
  elseif found then
    code = now_ms >= found[2] and 'E' or string.sub(wishes, i, i)
    if code == 'R' then
      local longer_ms = math.max(0, now_ms - (found[2] - found[3] - stock[11]))
      if stock[11] + longer_ms > longest_ms then
        code = 'L'
      else
        found[2], found[3], extended = now_ms + stock[11], longer_ms, true
        keep(buyers[i], keys[i], found)
      end
    else
      ended[#ended + 1] = finish(buyers[i], keys[i], found, code)
    end
  end
  if found and code ~= 'L' then
    told[#told + 1] = found[4]
    told[#told + 1] = string.format('%.0f', found[2])
  end
  codes[i] = code
end
codes = table.concat(codes)

if #ended > 0 or extended then
  log(#ended, 'settle', ARGV[2], 'codes', codes, 'ended', table.concat(ended, ','), 'deadline',
    extended and string.format('%.0f', now_ms + stock[11]) or '')
  redis.call('HSET', KEYS[2], unpack(writes))
  save()
end
return reply(codes, told)
