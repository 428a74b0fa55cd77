/**
 * Bundles our sources with their dependencies: starting needs no compiler, and reads a few large files in place of two
 * thousand small ones, which takes less than half the time.
 */
import './app/cli/node-version.mjs';
import { basename } from 'node:path';
import { build } from 'esbuild';
import { removeOldBuilds } from './app/cli/built-files.mjs';

/** What a running server starts, by the name that stands for its file in the sources. */
const programs = {
  RENDERING_WORKER: ['rendering-worker', 'read-api/replay/rendering-worker.ts'],
  SOCKET_PROCESS: ['socket-process', 'app/cli/socket-process.ts'],
};

/** Stay in node_modules: compiled code, what looks for its own files, and what few processes load. */
const external = [
  'libsql',
  '@node-rs/argon2',
  '@opentelemetry/core',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/exporter-trace-otlp-http',
  '@eventstore/db-client',
  // Together with that client: it must be given their classes.
  '@grpc/grpc-js',
  'google-protobuf',
  // Their libraries do without these, which are not installed.
  'pg-native',
  'kerberos',
  'bufferutil',
  'utf-8-validate',
];

/** What CommonJS dependencies expect to find, in each module of the bundle. */
const commonJs = [
  `import { createRequire as __createRequire } from 'node:module';`,
  `import { fileURLToPath as __fileURLToPath } from 'node:url';`,
  `import { dirname as __dirnameOf } from 'node:path';`,
  `const require = __createRequire(import.meta.url);`,
  `const __filename = __fileURLToPath(import.meta.url);`,
  `const __dirname = __dirnameOf(__filename);`,
].join('');

/** The script of app/cli/compiled.ts is a function, as CommonJS modules are in Node. */
const script = {
  begin: `(function (exports, require, module, __filename, __dirname) { 'use strict'; const __url = require('node:url').pathToFileURL(__filename).href;`,
  end: '})',
};

/** @returns the names of the files it has written */
const bundle = async (options) => {
  const { metafile } = await build({
    outdir: 'dist',
    bundle: true,
    external,
    mainFields: ['module', 'main'],
    loader: { '.lua': 'text' },
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    metafile: true,
    ...options,
  });
  return Object.keys(metafile.outputs).map((file) => basename(file));
};

const fileOf = (files, name, suffix) => files.find((file) => file.startsWith(`${name}-`) && file.endsWith(suffix));

const started = await bundle({
  entryPoints: Object.fromEntries(Object.values(programs)),
  entryNames: '[name]-[hash]',
  format: 'esm',
  splitting: true,
  banner: { js: commonJs },
});
const programFiles = Object.fromEntries(
  Object.entries(programs).map(([constant, [name]]) => [constant, JSON.stringify(fileOf(started, name, '.js'))]),
);

const command = await bundle({
  entryPoints: { parley: 'app/cli/parley.ts' },
  entryNames: '[name]-[hash]',
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  banner: { js: script.begin },
  footer: { js: script.end },
  define: { 'import.meta.url': '__url', ...programFiles },
  // Node finds no way to import from a script that comes out of V8's cache. What stays outside can be required as well.
  supported: { 'dynamic-import': false },
});

const entries = await bundle({
  entryPoints: { parley: 'app/cli/entry.ts', bench: 'bench/main.ts' },
  format: 'esm',
  splitting: true,
  banner: { js: commonJs },
  define: { BUNDLE: JSON.stringify(fileOf(command, 'parley', '.cjs')), ...programFiles },
});

removeOldBuilds('dist', [...new Set([...started, ...command, ...entries])]);
