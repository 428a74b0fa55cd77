/** Redis: one server or a cluster, through one connection for commands and as many as are needed for pub/sub. */
export {
  openRedis,
  type Redis,
  type RedisClient,
  type RedisOptions,
  redisGuard,
  type Script,
  script,
} from './connection.ts';
export { isOutage } from './failures.ts';
