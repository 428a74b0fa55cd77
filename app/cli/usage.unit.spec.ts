import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { explainUsage, neededOption } from './usage.ts';

/** @returns what it says to people, or that it ran */
const given = (...args: string[]): string => {
  const said: string[] = [];
  const program = new Command('it').exitOverride().configureOutput({ writeErr: (text) => void said.push(text) });
  const log = program.command('log');
  log.command('export').action(() => void said.push('exported'));
  program.command('status').action(() => void said.push('ran'));
  program
    .command('make')
    .addOption(neededOption('--name <name>', 'what to call it'))
    .action(() => void said.push('made'));
  explainUsage(program);
  try {
    program.parse(args, { from: 'user' });
  } catch {
    // It has said why.
  }
  return said.join('');
};

describe('the command line', () => {
  it('names the place of a command that stands elsewhere', () => {
    expect(given('export')).toBe("error: unknown command 'export'\n(Did you mean it log export?)\n");
    expect(given('log', 'status')).toBe("error: unknown command 'status'\n(Did you mean it status?)\n");
  });

  it('names the command that a misspelt one means, and none for another word', () => {
    expect(given('stauts')).toContain('(Did you mean it status?)');
    expect(given('log', 'exprt')).toContain('(Did you mean it log export?)');
    expect(given('foo')).toBe("error: unknown command 'foo'\n");
  });

  it('names an unknown option before one that is missing', () => {
    expect(given('make', '--nmae', 'x')).toBe("error: unknown option '--nmae'\n(Did you mean --name?)\n");
    expect(given('make')).toBe("error: required option '--name <name>' not specified\n");
  });

  it('runs what is right', () => {
    expect([given('log', 'export'), given('status'), given('make', '--name', 'x')]).toEqual([
      'exported',
      'ran',
      'made',
    ]);
  });
});
