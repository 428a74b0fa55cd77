-- KEYS: `at`, and per channel: head, last posts by author, mentions.
-- ARGV: a user, and per channel the marker, empty if there is none (see keep-counts.lua), and the floor.
-- @returns `through`, `whole`, and per channel the head's ordinal and id, the ordinal read, and the number of mentions
-- beyond it.

local user = ARGV[1]
local found = {redis.call('HMGET', KEYS[1], 'through', 'whole')}
for n = 1, (#KEYS - 1) / 3 do
  local head = redis.call('HMGET', KEYS[3 * n - 1], 'o', 'm')
  local last = tonumber(head[1] or '0')
  local marked, back = string.match(ARGV[2 * n], '^(%d+):?(%d*)$')
  local marker = tonumber(marked or nil)
  local own = tonumber(redis.call('HGET', KEYS[3 * n], user) or nil)
  -- Said before the channel was marked as unread.
  if own and own <= (tonumber(back or nil) or 0) then own = nil end
  local read = marker and own and math.max(marker, own) or marker or own or tonumber(ARGV[2 * n + 1])
  if read > last then read = last end
  local count = 0
  if read < last then
    local beyond = string.format('%016d', read)
    for _, target in ipairs({user, 'everyone'}) do
      count = count + redis.call('ZLEXCOUNT', KEYS[3 * n + 1], '(' .. target .. ':' .. beyond, '(' .. target .. ';')
    end
  end
  found[n + 1] = {last, head[2], read, count}
end
return found
