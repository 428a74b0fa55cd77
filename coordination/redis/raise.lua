-- ARGV: seconds to keep them, 0 for ever; then a position for each of KEYS. Never lowers one.

for i, key in ipairs(KEYS) do
  local position = ARGV[i + 1]
  local former = redis.call('GET', key)
  if not former or tonumber(former) < tonumber(position) then
    if ARGV[1] == '0' then redis.call('SET', key, position)
    else redis.call('SET', key, position, 'EX', ARGV[1]) end
  end
end
