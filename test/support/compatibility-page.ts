/** The tables of docs/compatibility.md: Discord's routes and events, and which of them are there. */

import { readFileSync } from 'node:fs';
import { GatewayDispatchEvents, Routes } from 'discord-api-types/v10';
import { describedRoutes } from './described-routes.ts';

/** Numbers, so that the builders take them for ids and leave them as they are. */
const ID = '1';

/** One form for both spellings of a path. */
const shapeOf = (path: string): string =>
  path
    .split('/')
    .map((part) => (part === ID || part.startsWith(':') || part === '@me' || part === '@original' ? '{}' : part))
    .join('/');

const discordPaths = (): readonly string[] => {
  const paths = Object.values(Routes).map((build) =>
    (build as (...ids: string[]) => string).call(Routes, ID, ID, ID, ID).replace(/\?.*$/, ''),
  );
  return [...new Set(paths.map(decodeURIComponent))].sort();
};

/** By the shape of the path: what differs from Discord there. */
const DIFFERS: Readonly<Record<string, string>> = {
  '/channels/{}/messages': 'no files, components, stickers or polls: a field that asks for one is refused by name',
  '/channels/{}/messages/{}': 'as for sending',
  '/channels/{}': 'a channel stays of its type; settings of forums and voice are refused',
  '/guilds/{}':
    'no pictures, AFK channel, content filter, or features but `DISCOVERABLE`: they are refused beyond their defaults',
  '/guilds/{}/channels': 'text, announcements and categories',
  '/invites/{}': '`POST` joins, for people; a bot is added by whoever manages the guild',
  '/users/{}': '`PATCH` changes the profile or the password; there are no pictures and no other username',
  '/voice/regions': 'always `[]`: there is no voice',
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

const routesTable = (): string => {
  const methods = new Map<string, Set<string>>();
  for (const { method, path } of describedRoutes()) {
    const shape = shapeOf(path);
    methods.set(shape, (methods.get(shape) ?? new Set()).add(method));
  }
  const rows = discordPaths().map((path) => {
    const shape = shapeOf(path);
    const there = [...(methods.get(shape) ?? [])].sort().join(', ');
    const state = there === '' ? 'not there' : DIFFERS[shape] === undefined ? 'works' : `differs: ${DIFFERS[shape]}`;
    return `| \`${cell(shape.replaceAll('{}', '{id}'))}\` | ${there} | ${cell(state)} |`;
  });
  return ['| path | methods | |', '| --- | --- | --- |', ...new Set(rows)].join('\n');
};

/** The names of the gateway's page, which a test holds against the code. */
const dispatches = (): ReadonlySet<string> => {
  const page = readFileSync(new URL('../../docs/gateway.md', import.meta.url), 'utf8');
  return new Set([...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name!));
};

const eventsTable = (): string => {
  const there = dispatches();
  const names = Object.values(GatewayDispatchEvents).sort();
  const rows = names.map((name) => `| \`${name}\` | ${there.has(name) ? 'works' : 'not there'} |`);
  return ['| event | |', '| --- | --- |', ...rows].join('\n');
};

export const compatibilityPage = (): string => `## Routes\n\n${routesTable()}\n\n## Events\n\n${eventsTable()}`;
