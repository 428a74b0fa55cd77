-- KEYS: `at`, heads. @returns `through`, `whole`, and for each head its four fields.

local found = {redis.call('HMGET', KEYS[1], 'through', 'whole')}
for i = 2, #KEYS do found[i] = redis.call('HMGET', KEYS[i], 'o', 'm', 's', 'p') end
return found
