-- KEYS: `at`, and per channel: head, last posts by author, mentions.
-- ARGV: a user, and per channel the marker, empty if there is none (see keep-counts.lua), the floor, and the ids of roles,
-- separated by spaces.
-- @returns `through`, `whole`, and per channel the head's ordinal and id, the ordinal read, and the number of mentions
-- beyond it.

local user = ARGV[1]

-- A message that mentions everyone has no other mentions. One that mentions several of the others counts once.
local function mentions_beyond(key, roles, read)
  if redis.call('EXISTS', key) == 0 then return 0 end
  local beyond = string.format('%016d', read)
  local function bounds(target) return '(' .. target .. ':' .. beyond, '(' .. target .. ';' end
  local count, mentioned = 0, {}
  for target in string.gmatch(user .. ' ' .. roles, '%S+') do
    local found = redis.call('ZLEXCOUNT', key, bounds(target))
    count = count + found
    if found > 0 then mentioned[#mentioned + 1] = target end
  end
  if #mentioned > 1 then
    local ordinals = {}
    count = 0
    for _, target in ipairs(mentioned) do
      for _, entry in ipairs(redis.call('ZRANGEBYLEX', key, bounds(target))) do
        local ordinal = string.sub(entry, -16)
        if not ordinals[ordinal] then count = count + 1 end
        ordinals[ordinal] = true
      end
    end
  end
  return count + redis.call('ZLEXCOUNT', key, bounds('everyone'))
end

local found = {redis.call('HMGET', KEYS[1], 'through', 'whole')}
for n = 1, (#KEYS - 1) / 3 do
  local head = redis.call('HMGET', KEYS[3 * n - 1], 'o', 'm')
  local last = tonumber(head[1] or '0')
  local marked, back = string.match(ARGV[3 * n - 1], '^(%d+):?(%d*)$')
  local marker = tonumber(marked or nil)
  local own = tonumber(redis.call('HGET', KEYS[3 * n], user) or nil)
  -- Said before the channel was marked as unread.
  if own and own <= (tonumber(back or nil) or 0) then own = nil end
  local read = marker and own and math.max(marker, own) or marker or own or tonumber(ARGV[3 * n])
  if read > last then read = last end
  local count = read < last and mentions_beyond(KEYS[3 * n + 1], ARGV[3 * n + 1], read) or 0
  found[n + 1] = {last, head[2], read, count}
end
return found
