-- What is needed of a sale to read its reservations. Included by the scripts that only look them up; all of it is nil if the
-- sale is absent.
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local acknowledged, hold_ms = unpack(redis.call('HMGET', KEYS[1], 'acknowledged', 'hold_ms'))
if not (acknowledged and hold_ms) and redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.error_reply('SPIKE ' .. KEYS[1] .. ' is damaged')
elseif acknowledged and redis.call('HEXISTS', KEYS[2], '') == 0 then
  return redis.error_reply('SPIKE ' .. KEYS[2] .. ' is lost')
end
