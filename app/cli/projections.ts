/** `parley projections status | rebuild | verify | dead-letters` */

import type { ViewName } from '../../projections/engine/port.ts';
import type { Config } from '../../schemas/settings.ts';
import type { ProjectionsCommands } from './projections-port.ts';
import { configured, reported } from './terminal.ts';

export const NAMES: readonly (ViewName | 'all')[] = ['guild-views', 'timelines', 'unread', 'all'];

const viewsOf = (name: string): readonly ViewName[] =>
  NAMES.filter((one): one is ViewName => one !== 'all' && (name === 'all' || name === one));

/** Loads only the drivers of the configured profile. */
const run = (use: (commands: ProjectionsCommands, config: Config) => Promise<void>): Promise<void> =>
  reported(async () => {
    const config = configured();
    const commands =
      config.profile === 'cluster'
        ? (await import('./projections-cluster.ts')).clusterProjections
        : (await import('./projections-embedded.ts')).embeddedProjections;
    await use(commands, config);
  });

export const projectionsStatus = () => run((commands, config) => commands.status(config));
export const projectionsRebuild = (name: string) => run((commands, config) => commands.rebuild(config, viewsOf(name)));
export const projectionsVerify = (name: string) => run((commands, config) => commands.verify(config, viewsOf(name)));
export const deadLettersList = () => run((commands, config) => commands.deadLetters(config));
export const deadLettersRetry = (ids: string[]) => run((commands, config) => commands.retry(config, ids));
