import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServiceMissing } from '../port.ts';
import { programFrom } from './debian.ts';
import { fetchJars } from './maven.ts';
import { findProgram } from './run.ts';

describe('a missing program', () => {
  const path = process.env.PATH;
  beforeEach(() => {
    process.env.PATH = '/nowhere';
  });
  afterEach(() => {
    process.env.PATH = path;
  });

  it('is named, with a way to install it', async () => {
    const wanted = programFrom(
      ['redis-server'],
      () => findProgram('redis-server'),
      () => {},
    );
    await expect(wanted).rejects.toThrow(ServiceMissing);
    await expect(wanted).rejects.toThrow(/redis-server is missing.*install it, or start a Docker engine/);
  });

  it('is named even when it is only needed to fetch another', async () => {
    const wanted = fetchJars('none', ['org.example:none:1'], () => {});
    await expect(wanted).rejects.toThrow(/(maven|openjdk-17-jre-headless) is missing/);
  });

  it('is not looked for when it is there', async () => {
    expect(
      await programFrom(
        ['sh'],
        () => '/bin/sh',
        () => {},
      ),
    ).toBe('/bin/sh');
  });
});
