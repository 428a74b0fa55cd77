/**
 * Bundles our own sources, so that starting needs no compiler and reads few files. Dependencies stay in node_modules,
 * except the functional libraries: of their 150 files we need a handful, and loading them all took a sixth of the start.
 */
import { readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const entries = {
  parley: 'app/cli/parley.ts',
  bench: 'bench/main.ts',
  'rendering-worker': 'read-api/replay/rendering-worker.ts',
};

const BUNDLED = ['fp-ts', 'io-ts'];
const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const external = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => !BUNDLED.includes(name));

// Chunks are named by their content: those of former builds would stay for ever.
rmSync('dist', { recursive: true, force: true });

await build({
  entryPoints: entries,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  external,
  mainFields: ['module', 'main'],
  loader: { '.lua': 'text' },
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'linked',
  logLevel: 'warning',
});
