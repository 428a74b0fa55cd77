// Bundles our own sources (dependencies stay in node_modules) so that starting needs no compiler and reads few files.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const entries = {
  parley: 'app/cli/parley.ts',
  bench: 'bench/main.ts',
  'rendering-worker': 'read-api/replay/rendering-worker.ts',
};

// Chunks are named by their content: those of former builds would stay for ever.
rmSync('dist', { recursive: true, force: true });

await build({
  entryPoints: entries,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  packages: 'external',
  loader: { '.lua': 'text' },
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'linked',
  logLevel: 'warning',
});
