// Bundles main.ts and runs it. It works on a clean checkout, and leaves dist alone because a running server may read it.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const folder = 'node_modules/.cache/parley';
const file = `${folder}/services-${process.pid}.mjs`;
const result = await build({
  entryPoints: ['services/main.ts'],
  bundle: true,
  write: false,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'inline',
  logLevel: 'warning',
});
mkdirSync(folder, { recursive: true });
writeFileSync(file, result.outputFiles[0].contents);
process.once('exit', () => rmSync(file, { force: true }));
await import(pathToFileURL(file).href);
