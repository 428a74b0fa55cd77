import { discordGuildSuite } from './suites/discord-guild.ts';
import { startInstance } from './support/instance.ts';

discordGuildSuite(startInstance);
