-- KEYS: the partition's `at`, then the keys that the changes name by index.
-- ARGV: the expected checkpoint, the new one and the new `whole`; the last two are empty to leave them alone. Then the
-- changes, one after another.
-- @returns the partition's checkpoint and its `whole` afterwards. Nothing was stored if that is not the new checkpoint.

local at = redis.call('HGET', KEYS[1], 'through') or '0'
local whole = redis.call('HGET', KEYS[1], 'whole') or '0'
local moves = ARGV[2] ~= ''
if moves and at ~= ARGV[1] then return {at, whole} end

local function greater(key, field, value)
  local number = assert(tonumber(value), 'not a number: ' .. value)
  local former = redis.call('HGET', key, field)
  return not former or number > tonumber(former)
end

-- As `keptTargets` of the view: an edit takes mentions away and adds none.
local function kept(former, edited)
  if former == '' or former == 'everyone' then return former == '' and '' or edited end
  if edited == 'everyone' then return former end
  local still = {}
  for target in string.gmatch(former, '%S+') do
    if string.find(' ' .. edited .. ' ', ' ' .. target .. ' ', 1, true) then still[#still + 1] = target end
  end
  return table.concat(still, ' ')
end

local i = 4
local function arg()
  i = i + 1
  return ARGV[i - 1]
end
local function key() return KEYS[tonumber(arg())] end

while i <= #ARGV do
  local kind = arg()
  if kind == 'head' then
    local head, sequence, position, ordinal, id = key(), arg(), arg(), arg(), arg()
    if greater(head, 's', sequence) then redis.call('HSET', head, 's', sequence, 'p', position) end
    if ordinal ~= '' and greater(head, 'o', ordinal) then redis.call('HSET', head, 'o', ordinal, 'm', id) end
  elseif kind == 'own' then
    local own, user, ordinal = key(), arg(), arg()
    if greater(own, user, ordinal) then redis.call('HSET', own, user, ordinal) end
  elseif kind == 'read' then
    local markers, channel, ordinal, back, head = key(), arg(), arg(), arg(), key()
    if head then
      local last = redis.call('HGET', head, 'o') or '0'
      if tonumber(ordinal) > tonumber(last) then ordinal = last end
    end
    -- `ordinal`, or `ordinal:back` once the channel was marked as unread.
    local former = redis.call('HGET', markers, channel)
    if back ~= '' then
      redis.call('HSET', markers, channel, ordinal .. ':' .. back)
    elseif not former then
      redis.call('HSET', markers, channel, ordinal)
    else
      local read, rest = string.match(former, '^(%d+)(.*)$')
      if tonumber(ordinal) > tonumber(read) then redis.call('HSET', markers, channel, ordinal .. rest) end
    end
  else
    local mentions, targets, ordinal, fresh, now = key(), key(), arg(), arg(), arg()
    local suffix = ':' .. string.format('%016d', tonumber(ordinal))
    if fresh == '0' then
      local former = redis.call('HGET', targets, ordinal)
      if former then
        for target in string.gmatch(former, '%S+') do redis.call('ZREM', mentions, target .. suffix) end
        redis.call('HDEL', targets, ordinal)
      end
      now = kept(former or '', now)
    end
    if now ~= '' then
      redis.call('HSET', targets, ordinal, now)
      for target in string.gmatch(now, '%S+') do redis.call('ZADD', mentions, 0, target .. suffix) end
    end
  end
end

if moves then
  at = ARGV[2]
  redis.call('HSET', KEYS[1], 'through', at)
  if ARGV[3] ~= '' then
    whole = ARGV[3]
    redis.call('HSET', KEYS[1], 'whole', whole)
  end
end
return {at, whole}
