/** The whole configuration, decoded once from the environment. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import leven from 'leven';
import { bounds, type Config, clusterSettings, limits, type Setting, settings } from '../schemas/settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const every: readonly Setting<unknown>[] = [
  ...Object.values(settings),
  ...Object.values(clusterSettings),
  ...Object.values(limits),
  ...Object.values(bounds),
];

const SHOWN = 80;
const shown = (given: string): string => JSON.stringify(given.length > SHOWN ? `${given.slice(0, SHOWN)}...` : given);

const nearest = (unknown: string): string =>
  every
    .map((one) => ({ name: one.variable, far: leven(unknown, one.variable) }))
    .reduce((best, one) => (one.far < best.far ? one : best)).name;

const unknownVariables = (environment: Environment): string[] => {
  const known = new Set(every.map((one) => one.variable));
  return Object.keys(environment)
    .filter((name) => name.startsWith('PARLEY_') && !known.has(name))
    .sort()
    .map((name) => `${name} is no variable of Parley; the nearest is ${nearest(name)}`);
};

const missingServers = ({ profile, cluster }: Config): string[] => {
  if (profile !== 'cluster') return [];
  const { logUrl, vaultUrl, viewsUrl, redisUrl, kafkaUrl, cassandraUrl } = clusterSettings;
  const given = { logUrl, vaultUrl, viewsUrl, redisUrl, kafkaUrl, cassandraUrl };
  return Object.entries(given).flatMap(([key, { variable, accepts }]) =>
    cluster[key as keyof typeof given] === null
      ? [
          `${variable}: given nothing, and the cluster profile needs it; accepted: ${accepts.replace(', or nothing', '')}`,
        ]
      : [],
  );
};

/** The given variables that matter only to a cluster, when this is none. */
export const ignoredVariables = (environment: Environment, { profile }: Pick<Config, 'profile'>): readonly string[] =>
  profile === 'cluster'
    ? []
    : Object.values(clusterSettings)
        .map(({ variable }) => variable)
        .filter((name) => (environment[name] ?? '') !== '');

/**
 * Reads every PARLEY_* variable.
 * @returns the configuration, or a line for each invalid variable: its name, the given value and the accepted values.
 */
export const readConfig = (environment: Environment): Either<readonly string[], Config> => {
  const wrong: string[] = [];
  const valuesOf = (group: Readonly<Record<string, Setting<unknown>>>) =>
    Object.fromEntries(
      Object.entries(group).map(([key, one]) => {
        const followed = one.follows === undefined ? undefined : environment[one.follows];
        const own = environment[one.variable];
        const given = own ?? followed ?? one.fallback;
        const decoded = one.codec.decode(given);
        if (either.isRight(decoded)) return [key, decoded.right];
        // What is wrong with the other variable is told of that one alone.
        if (own !== undefined || followed === undefined)
          wrong.push(`${one.variable}: given ${shown(given)}; accepted: ${one.accepts}`);
        return [key, undefined];
      }),
    );
  const values = {
    ...valuesOf(settings),
    cluster: valuesOf(clusterSettings),
    limits: valuesOf(limits),
    bounds: valuesOf(bounds),
  };
  wrong.push(...missingServers(values as unknown as Config), ...unknownVariables(environment));
  return wrong.length === 0 ? either.right(values as unknown as Config) : either.left(wrong);
};

/** The table of docs/configuration.md. */
export const configurationTable = (): string => {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = every.map((one) => {
    const fallback = one.fallback === '' ? '' : `\`${one.fallback}\``;
    return `| \`${one.variable}\` | ${fallback} | ${cell(one.about)} | ${cell(one.accepts)} |`;
  });
  return ['| variable | default | what for | accepted |', '| --- | --- | --- | --- |', ...rows].join('\n');
};
