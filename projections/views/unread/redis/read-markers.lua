-- KEYS: `at`, markers of a user. ARGV: channels. @returns `through`, `whole`, and the markers.

return {redis.call('HMGET', KEYS[1], 'through', 'whole'), redis.call('HMGET', KEYS[2], unpack(ARGV))}
