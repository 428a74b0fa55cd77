import { discordSuite } from './suites/discord.ts';
import { startInstance } from './support/instance.ts';

discordSuite(startInstance);
