/** Structured logs. Message text, tokens and passwords must never get here; should they, they are censored. */

import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { Config } from '../schemas/settings.ts';

/** What a room needs of a logger: fields first, then one sentence. */
export interface Logger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Of those that also tell what goes well. */
export interface InformingLogger extends Logger {
  info(fields: object, message: string): void;
}

const SECRET_FIELDS = ['token', 'auth_token', 'password', 'authorization', 'content', 'embeds', 'nonce', 'secret'];

/** @param destination where lines go; default: standard output */
export const createLogger = (level: Config['logLevel'], destination?: DestinationStream): PinoLogger => {
  const options = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[not logged]' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
};
