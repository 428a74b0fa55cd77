import { readdirSync } from 'node:fs';
import * as t from 'io-ts';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../http/openapi.ts';
import { FOLLOWED_UP } from '../../schemas/events/catalogue.ts';
import { commands, followUps } from './index.ts';

const isCommand = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'type' in value && 'codec' in value;

/** The codecs of the values that a codec takes. */
const leavesOf = (codec: t.Mixed): readonly t.Mixed[] => {
  const {
    props,
    types,
    type,
    codec: inner,
  } = codec as never as {
    readonly props?: Record<string, t.Mixed>;
    readonly types?: readonly t.Mixed[];
    readonly type?: t.Mixed;
    readonly codec?: t.Mixed;
  };
  const parts = [...Object.values(props ?? {}), ...(types ?? []), ...[type, inner].filter((one) => one !== undefined)];
  return parts.length === 0 ? [codec] : parts.flatMap(leavesOf);
};

describe('the fields of a command', () => {
  it.each(commands.map(({ type, codec }) => [type, codec as t.Mixed] as const))(
    'hold only text that every store gives back: %s',
    (_, codec) => {
      // `t.string` takes anything, NUL and halves of surrogate pairs as well.
      expect(leavesOf(codec).filter((leaf) => leaf instanceof t.StringType)).toEqual([]);
    },
  );
});

describe('the command registry', () => {
  it('holds the commands of every feature file', async () => {
    const files = readdirSync(new URL('.', import.meta.url)).filter((name) => !/spec|^index/.test(name));
    for (const name of files) {
      const exported = Object.values((await import(new URL(name, import.meta.url).href)) as object).filter(isCommand);
      for (const command of exported) expect(commands, name).toContain(command);
    }
  });

  it('gives every command its own type and route', () => {
    const types = commands.map(({ type }) => type);
    const routes = commands.map(({ route }) => `${route.method} ${route.path}`);
    expect(new Set(types).size).toBe(types.length);
    expect(new Set(routes).size).toBe(routes.length);
  });

  it('takes from the path exactly the fields that it names', () => {
    for (const { type, route, params } of commands) {
      const named = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1]);
      const taken = params === undefined ? [] : Object.keys(jsonSchema(params).properties ?? {});
      expect(taken.toSorted(), type).toEqual(named.toSorted());
    }
  });

  it('gives every command an answer unless its route says 204', () => {
    for (const command of commands) {
      if ('carryOut' in command) continue;
      expect(command.answer !== undefined, command.type).toBe(command.route.status !== 204);
    }
  });

  it('defines the follow-up of every event that needs one', () => {
    expect(Object.keys(followUps).toSorted()).toEqual([...FOLLOWED_UP].toSorted());
  });
});
