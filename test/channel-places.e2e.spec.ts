import { channelPlacesSuite } from './suites/channel-places.ts';
import { startInstance } from './support/instance.ts';

channelPlacesSuite(startInstance);
