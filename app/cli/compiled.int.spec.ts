import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { cachedDataVersionTag } from 'node:v8';
import { build } from 'esbuild';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/support/temporary-folder.ts';
import { runCompiled } from './compiled.ts';

const BEGIN = '(function (exports, require, module, __filename, __dirname) {';

describe('a script with what V8 compiled of it', () => {
  const folder = temporaryFolder();
  const script = join(folder.path, 'script-1.cjs');
  const compiled = `${script}.command.${cachedDataVersionTag()}`;
  const files = () => readdirSync(folder.path).sort();
  const write = (done: string) =>
    writeFileSync(
      script,
      `${BEGIN} module.exports = { done: ${done} }; require('node:fs').appendFileSync('${script}.ran', 'x'); })`,
    );
  const run = () => runCompiled(pathToFileURL(script), 'command', 0);
  const runs = () => readFileSync(`${script}.ran`, 'utf8').length;

  beforeEach(() => {
    rmSync(folder.path, { recursive: true });
    mkdirSync(folder.path);
    write('Promise.resolve()');
  });
  afterAll(() => folder.remove());

  it('runs alike without it and with it, which is kept', async () => {
    await run();
    const first = readFileSync(compiled);
    await run();
    expect(readFileSync(compiled).equals(first)).toBe(true);
    expect(runs()).toBe(2);
    expect(files()).toEqual([script, compiled, `${script}.ran`].map((file) => basename(file)).sort());
  });

  it('replaces what is none', async () => {
    // V8 remembers scripts of this process.
    write('Promise.resolve(1)');
    writeFileSync(compiled, 'cut off');
    await run();
    expect(runs()).toBe(1);
    expect(readFileSync(compiled).toString('latin1')).not.toContain('cut off');
  });

  it('replaces what is damaged', async () => {
    await run();
    const damaged = readFileSync(compiled);
    damaged.fill(0, damaged.length >> 1);
    writeFileSync(compiled, damaged);
    await run();
    expect(runs()).toBe(2);
    expect(readFileSync(compiled).equals(damaged)).toBe(false);
  });

  it('has none of what failed', async () => {
    write(`Promise.reject(new Error('no'))`);
    await expect(run()).rejects.toThrow('no');
    expect(files()).not.toContain(basename(compiled));
  });

  it('has none where it cannot be written, and leaves nothing half written', async () => {
    mkdirSync(join(compiled, 'taken'), { recursive: true });
    await run();
    await run();
    expect(runs()).toBe(2);
    expect(files()).toHaveLength(3);
  });

  it('is traced back to its sources by Node, compiled anew and not', async () => {
    const at = (name: string) => join(folder.path, name);
    writeFileSync(at('thrower.ts'), `\nexport const done = Promise.resolve(console.log(new Error('here').stack));\n`);
    const shared = { bundle: true, platform: 'node', sourcemap: 'linked' } as const;
    await build({
      ...{ ...shared, entryPoints: [at('thrower.ts')], outfile: script, format: 'cjs' },
      ...{ banner: { js: BEGIN }, footer: { js: '})' } },
    });
    const entryPoints = [fileURLToPath(new URL('./compiled.ts', import.meta.url))];
    await build({ ...shared, entryPoints, outfile: at('compiled.mjs'), format: 'esm' });
    writeFileSync(
      at('main.mjs'),
      `import { runCompiled } from './compiled.mjs'; await runCompiled(new URL('script-1.cjs', import.meta.url), 'command');`,
    );
    const stack = async () =>
      (await promisify(execFile)(process.execPath, ['--enable-source-maps', at('main.mjs')])).stdout;
    const first = await stack();
    expect(first).toContain(`${at('thrower.ts')}:2:`);
    expect(await stack()).toBe(first);
  });
});
