/** Following the distribution log on Kafka into a projection's store. */
export { followPartitions } from './follow.ts';
export type { Following, FollowOptions } from './port.ts';
