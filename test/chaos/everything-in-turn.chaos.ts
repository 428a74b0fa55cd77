/** The long form of `chaos.cluster.spec.ts`. */
import { chaosSuite } from '../suites/chaos.ts';
import { SPLIT } from '../support/cluster.ts';

const processes = Object.keys(SPLIT) as (keyof typeof SPLIT)[];

chaosSuite({ processes, servers: ['redis', 'kafka', 'cassandra'] });
