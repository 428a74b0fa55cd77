/** What `parley projections` can do, in either profile. */

import type { ViewName } from '../../projections/engine/port.ts';
import type { Config } from '../../schemas/settings.ts';

export type Views = readonly ViewName[];

/** Makes the command's exit code report a difference. */
export class Differs extends Error {
  constructor() {
    super('what is read differs from what the log says: `parley projections rebuild` mends it');
  }
}

export interface ProjectionsCommands {
  status(config: Config): Promise<void>;
  rebuild(config: Config, views: Views): Promise<void>;
  /** @throws Differs */
  verify(config: Config, views: Views): Promise<void>;
  deadLetters(config: Config): Promise<void>;
  /** @param ids as `deadLetters` lists them; none means all */
  retry(config: Config, ids: readonly string[]): Promise<void>;
}
