import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../http/openapi.ts';
import { FOLLOWED_UP } from '../../schemas/events/catalogue.ts';
import { commands, followUps } from './index.ts';

const isCommand = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'type' in value && 'codec' in value;

describe('the commands', () => {
  it('of every feature file are known to the server', async () => {
    const files = readdirSync(new URL('.', import.meta.url)).filter((name) => !/spec|^index/.test(name));
    for (const name of files) {
      const exported = Object.values((await import(new URL(name, import.meta.url).href)) as object).filter(isCommand);
      for (const command of exported) expect(commands, name).toContain(command);
    }
  });

  it('have types and routes of their own', () => {
    const types = commands.map(({ type }) => type);
    const routes = commands.map(({ route }) => `${route.method} ${route.path}`);
    expect(new Set(types).size).toBe(types.length);
    expect(new Set(routes).size).toBe(routes.length);
  });

  it('take from the path the fields that it names, and no others', () => {
    for (const { type, route, params } of commands) {
      const named = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1]);
      const taken = params === undefined ? [] : Object.keys(jsonSchema(params).properties ?? {});
      expect(taken.toSorted(), type).toEqual(named.toSorted());
    }
  });

  it('answer something wherever their route does not say 204', () => {
    for (const command of commands) {
      if ('carryOut' in command) continue;
      expect(command.answer !== undefined, command.type).toBe(command.route.status !== 204);
    }
  });

  it('say what follows each event that something must follow', () => {
    expect(Object.keys(followUps).toSorted()).toEqual([...FOLLOWED_UP].toSorted());
  });
});
