-- Reads records of the reservations, which reserve.lua describes, and changes them. Included, after change.lua, by the
-- scripts that settle.
local records, writes = {}, {}

local function read(buyers, keys)
  local fields = {}
  for i = 1, #buyers do
    fields[2 * i - 1] = buyers[i]
    fields[2 * i] = buyers[i] .. '\n' .. keys[i]
  end
  local found = redis.call('HMGET', KEYS[2], unpack(fields))
  for i = 1, #fields do
    records[fields[i]] = found[i]
  end
end

-- {state, due, longer, units, held, of the buyer's first record the rest, of a further record the rest}; nil if there is
-- none, false if one is damaged. longer: by how many ms the hold was extended.
local function find(buyer, key)
  local record, own = records[buyer], records[buyer .. '\n' .. key]
  if not record then
    return nil
  end
  local held, state, due, longer, units, first_key, rest =
    string.match(record, '^(%d+) (%a)(%d+)%+?(%d*) %d+ (%d+) ([^ ]*)( ?[^ ]*)$')
  if not held then
    return false
  elseif first_key == key then
    return {state, tonumber(due), tonumber(longer) or 0, tonumber(units), tonumber(held), first_key .. rest}
  elseif not own then
    return nil
  end
  state, due, longer, units, rest = string.match(own, '^(%a)(%d+)%+?(%d*) %d+ (%d+)( ?[^ ]*)$')
  return state and {state, tonumber(due), tonumber(longer) or 0, tonumber(units), tonumber(held), nil, rest} or false
end

local function write(field, record)
  records[field] = record
  writes[#writes + 1] = field
  writes[#writes + 1] = record
end

-- Notes what find told, after its state, due, longer or held changed with the coming sequence.
local function keep(buyer, key, found)
  local own = string.format('%s%.0f%s %.0f %d', found[1], found[2],
    found[3] > 0 and string.format('+%.0f', found[3]) or '', sequence + 1, found[4])
  if found[6] then
    write(buyer, found[5] .. ' ' .. own .. ' ' .. found[6])
  else
    write(buyer .. '\n' .. key, own .. found[7])
    write(buyer, found[5] .. string.match(records[buyer], ' .*$'))
  end
end

-- Ends a hold: code C, X or E. Answers what the log tells of it, with the time at which it was made.
local function finish(buyer, key, found, code)
  reserved = reserved - found[4]
  if code == 'C' then
    sold = sold + found[4]
  else
    available = available + found[4]
    found[5] = found[5] - found[4]
  end
  found[1] = code
  keep(buyer, key, found)
  return string.format('%d %.0f', found[4], found[2] - found[3] - stock[11])
end
