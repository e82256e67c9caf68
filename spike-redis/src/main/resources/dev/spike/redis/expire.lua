#!lua flags=allow-oom
--[[
Ends reservations whose hold time has passed, the oldest first, as far as at most 100 are to be looked at.

The log is the timer: deadlines are in its order, since each is the hold time after its entry. swept is the last entry
that is done with, and swept_of how many reservations of the one after it.

KEYS[1]  stock
KEYS[2]  reservations
KEYS[3]  log
KEYS[4]  only for a sale over a stock hash prepared by hand: that hash

Returns {phase, …, now_ms, expired, more, next_ms}
  phase, …     twelve as levels.lua, after the sweep; alone if the sale is absent
  expired      how many reservations were ended
  more         1: there is more to look at, call again; 0: not by this caller
  next_ms      when there may be something to do again, ms of the epoch; empty: nothing is held. With more: the deadline
               of the last one looked at, no later than that of any that is left

Keeps: what settle.lua keeps, and its form of log entry. A sweep that had more to do rests all others for 0.8 ms, so that
reservations get at least half of the server however many nodes sweep. Runs also when memory is full.
]]
--:include stock.lua
--:include change.lua
--:include records.lua

local swept, swept_of, after_us = tonumber(stock[16]), tonumber(stock[17]), tonumber(stock[18])
local now_us = time[1] * 1000000 + time[2]
if now_us < after_us and after_us - now_us < 1000000 then
  return reply(0, 0, string.format('%.0f', now_ms))
end

local buyers, keys, next_ms, entries, looked, due_ms = {}, {}, '', nil, 0, ''
repeat
  entries = redis.call('XRANGE', KEYS[3], string.format('%.0f-0', swept + 1), '+', 'COUNT', 4)
  for _, entry in ipairs(entries) do
    local of = {}
    for i = 1, #entry[2], 2 do
      of[entry[2][i]] = entry[2][i + 1]
    end
    if tonumber(of.deadline or '') then
      if tonumber(of.deadline) > now_ms then
        next_ms = of.deadline
        break
      end
      due_ms = of.deadline
      local batch = cmsgpack.unpack(of.reserve or of.settle or of.restore)
      while swept_of and #buyers < 100 do
        swept_of = string.find(of.codes, 'R', swept_of + 1, true)
        if swept_of then
          buyers[#buyers + 1], keys[#keys + 1] = batch[1][swept_of], batch[2][swept_of]
        end
      end
      if swept_of then
        break
      end
    end
    swept, swept_of, looked = tonumber(string.match(entry[1], '^%d+')), 0, looked + 1
  end
until #entries < 4 or next_ms ~= '' or #buyers == 100 or looked >= 40
local more = (#buyers == 100 or looked >= 40) and next_ms == ''

local expired = {}
if #buyers > 0 then
  read(buyers, keys)
  for i = 1, #buyers do
    local found = find(buyers[i], keys[i])
    if not found then
      return redis.error_reply('SPIKE ' .. KEYS[2] .. ' has a damaged record')
    elseif found[1] == 'R' and now_ms >= found[2] then
      expired[#expired + 1] = {buyers[i], keys[i], finish(buyers[i], keys[i], found, 'E')}
    end
  end
end

local function column(c)
  local values = {}
  for i = 1, #expired do
    values[i] = expired[i][c]
  end
  return values
end

local passed = string.format('%.0f', swept)
local rest_until = more and string.format('%.0f', now_us + 800) or stock[18]
if #expired > 0 then
  local codes = string.rep('E', #expired)
  log(#expired, 'settle', cmsgpack.pack({column(1), column(2), codes}), 'codes', codes, 'ended',
    table.concat(column(3), ','), 'deadline', '')
  redis.call('HSET', KEYS[2], unpack(writes))
  save('swept', passed, 'swept_of', swept_of, 'sweep_after_us', rest_until)
elseif passed ~= stock[16] or swept_of ~= tonumber(stock[17]) or more then
  redis.call('HSET', KEYS[1], 'swept', passed, 'swept_of', swept_of, 'sweep_after_us', rest_until)
end
return reply(#expired, more and 1 or 0, more and due_ms or next_ms)
