import { chaosSuite } from './suites/chaos.ts';

// `redis.cluster.spec.ts` does worse to Redis.
chaosSuite(
  { processes: ['gateway-1', 'gateway-2', 'relay', 'projector-1'], servers: ['kafka'] },
  { senders: 10, subscribers: 10 },
);
