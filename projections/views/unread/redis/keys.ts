/**
 * Names of the keys of one generation. All that one partition of the distribution log writes shares a hash tag, and so a slot
 * of a Redis Cluster: a batch and its checkpoint are stored by one script, whole or not at all.
 */
import { channelStream, readStream } from '../../../../schemas/streams.ts';
import { script } from '../../../../stores/redis/connection.ts';
import { partitionOf } from '../../../engine/partitions.ts';

// What Redis does by itself. Ordinals, sequences and positions are compared as numbers, which are exact below 2^53; what is
// stored is the text that came, since Lua writes large numbers as `1e+15`. Ids are never made numbers.

/**
 * KEYS: the partition's `at`, then whatever the changes name by its index.
 * ARGV: the checkpoint this builds on, the new one, and what `whole` is to be, the last two empty to leave them alone; then
 * the changes, one after another.
 * @returns where the partition stands then, and its `whole`: when that is not the new checkpoint, nothing was stored.
 */
export const COMMIT = script(`
local at = redis.call('HGET', KEYS[1], 'through') or '0'
local whole = redis.call('HGET', KEYS[1], 'whole') or '0'
local moves = ARGV[2] ~= ''
if moves and at ~= ARGV[1] then return {at, whole} end

local function greater(key, field, value)
  local number = assert(tonumber(value), 'not a number: ' .. value)
  local former = redis.call('HGET', key, field)
  return not former or number > tonumber(former)
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
    local markers, channel, ordinal, head = key(), arg(), arg(), key()
    if head then
      local last = redis.call('HGET', head, 'o') or '0'
      if tonumber(ordinal) > tonumber(last) then ordinal = last end
    end
    if greater(markers, channel, ordinal) then redis.call('HSET', markers, channel, ordinal) end
  else
    local mentions, targets, ordinal, fresh, now = key(), key(), arg(), arg(), arg()
    local suffix = ':' .. string.format('%016d', tonumber(ordinal))
    if fresh == '0' then
      local former = redis.call('HGET', targets, ordinal)
      if former then
        for target in string.gmatch(former, '%S+') do redis.call('ZREM', mentions, target .. suffix) end
        redis.call('HDEL', targets, ordinal)
      end
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
`);

/** KEYS: `at`, heads. @returns `through`, `whole`, and for each head its four fields. */
export const HEADS = script(`
local found = {redis.call('HMGET', KEYS[1], 'through', 'whole')}
for i = 2, #KEYS do found[i] = redis.call('HMGET', KEYS[i], 'o', 'm', 's', 'p') end
return found
`);

/** KEYS: `at`, markers of a user. ARGV: channels. @returns `through`, `whole`, and the markers. */
export const MARKERS = script(`
return {redis.call('HMGET', KEYS[1], 'through', 'whole'), redis.call('HMGET', KEYS[2], unpack(ARGV))}
`);

/** KEYS: `at`, and of each channel who posted. ARGV: a user. @returns `through`, `whole`, and their ordinals. */
export const OWN = script(`
local found = {redis.call('HMGET', KEYS[1], 'through', 'whole')}
for i = 2, #KEYS do found[i] = redis.call('HGET', KEYS[i], ARGV[1]) end
return found
`);

/**
 * KEYS: `at`, and of each channel head, who posted, mentions. ARGV: a user, and for each channel the marker, empty where there
 * is none, and the floor.
 * @returns `through`, `whole`, and for each channel the head's ordinal and id, the ordinal read, and mentions beyond it.
 */
export const STATES = script(`
local user = ARGV[1]
local found = {redis.call('HMGET', KEYS[1], 'through', 'whole')}
for n = 1, (#KEYS - 1) / 3 do
  local head = redis.call('HMGET', KEYS[3 * n - 1], 'o', 'm')
  local last = tonumber(head[1] or '0')
  local marker = tonumber(ARGV[2 * n])
  local own = tonumber(redis.call('HGET', KEYS[3 * n], user) or nil)
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
`);

/** Where the unread counts of one installation are. */
export interface UnreadPlace {
  /** Of the installation, in front of every key. */
  readonly namespace: string;
  readonly generation: number;
  /** Of the distribution log. Another number needs another generation: keys would be looked for in other places. */
  readonly partitions: number;
}

export class Keys {
  readonly partitions: number;
  private readonly prefix: string;
  private readonly tags: readonly string[];

  constructor({ namespace, generation, partitions }: UnreadPlace) {
    this.prefix = `${namespace}:u${generation}`;
    this.partitions = partitions;
    this.tags = Array.from({ length: partitions }, (_, partition) => `{${this.prefix}:${partition}}`);
  }

  partitionOfChannel(channelId: string): number {
    return partitionOf(channelStream(channelId), this.partitions);
  }

  partitionOfUser(userId: string): number {
    return partitionOf(readStream(userId), this.partitions);
  }

  /** Hash: `through`, the partition's checkpoint; `whole`, the checkpoint from which on nothing is missing. */
  at(partition: number): string {
    return `${this.tags[partition]}:at`;
  }

  /** Hash: `o` and `m`, ordinal and id of the channel's last message; `s` and `p`, sequence and position of its last event. */
  head(channelId: string): string {
    return `${this.ofChannel(channelId)}:head:${channelId}`;
  }

  /** Hash: by user, the ordinal of the last message they posted in the channel. */
  own(channelId: string): string {
    return `${this.ofChannel(channelId)}:own:${channelId}`;
  }

  /** Sorted set, all of one score: `<target>:<ordinal>`, the ordinal in sixteen digits, so that a range is counted at once. */
  mentions(channelId: string): string {
    return `${this.ofChannel(channelId)}:mentions:${channelId}`;
  }

  /** Hash: by ordinal, whom the message mentions, separated by spaces: what an edit or deletion takes back. */
  targets(channelId: string): string {
    return `${this.ofChannel(channelId)}:targets:${channelId}`;
  }

  /** Hash: by channel, the ordinal the user has read up to. */
  markers(userId: string): string {
    return `${this.tags[this.partitionOfUser(userId)]}:read:${userId}`;
  }

  /** Matches every key of the generation. */
  get pattern(): string {
    return `{${this.prefix}:*}:*`;
  }

  private ofChannel(channelId: string): string {
    return this.tags[this.partitionOfChannel(channelId)]!;
  }
}
