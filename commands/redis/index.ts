export { redisSharedWrites, type SharedWritesOptions } from './shared-writes.ts';
