-- KEYS: `at`, and per channel the last posts by author. ARGV: a user.
-- @returns `through`, `whole` and their ordinals.

local found = {redis.call('HMGET', KEYS[1], 'through', 'whole')}
for i = 2, #KEYS do found[i] = redis.call('HGET', KEYS[i], ARGV[1]) end
return found
