import { chaosSuite } from './suites/chaos.ts';

chaosSuite({ processes: ['gateway-1', 'gateway-2', 'relay', 'projector-1'], servers: ['redis', 'kafka'] });
