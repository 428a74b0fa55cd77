import { badCommandsSuite, badFramesSuite } from './suites/bad-frames.ts';
import { startInstance } from './support/instance.ts';

badFramesSuite(startInstance);
badCommandsSuite(startInstance);
