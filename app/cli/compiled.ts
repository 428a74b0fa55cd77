/**
 * Runs the bundle with what V8 compiled of it the last time, which takes half the time of a start. Node does this by
 * itself for modules, but only from 22.1 on.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** What a bundle leaves in its exports. */
interface Exports {
  /** Until its work is done; of a server, until it has started. */
  readonly done: Promise<unknown>;
}

type Run = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: object },
  filename: string,
  dirname: string,
) => void;

/** Node's own module, whose method is not in its types. */
type Compiling = Module & { _compile(text: string, file: string): void };

/** Modules that Node is shown for their source maps. It forgets the map with the module. */
const shown: Module[] = [];

/** Node maps frames back to the sources for files that it compiled itself. So it compiles one that is only the reference. */
const showSourceMap = (file: string): void => {
  const module = new Module(file) as Compiling;
  module._compile(`//# sourceMappingURL=${basename(file)}.map`, file);
  shown.push(module);
};

/** Of the checksum behind the code. V8 compares none: damaged code ends the process without a word. */
const CHECKSUM_BYTES = 4;

const checksumOf = (code: Buffer): Buffer => {
  const bytes = Buffer.alloc(CHECKSUM_BYTES);
  bytes.writeUInt32LE(crc32(code));
  return bytes;
};

/** @returns `undefined` where it is missing or damaged */
const readCode = (file: string): Buffer | undefined => {
  try {
    const bytes = readFileSync(file);
    const code = bytes.subarray(0, -CHECKSUM_BYTES);
    return checksumOf(code).equals(bytes.subarray(-CHECKSUM_BYTES)) ? code : undefined;
  } catch {
    return undefined;
  }
};

/** Other processes may write it at the same time. Whose folder may not be written compiles at every start. */
const writeIfPossible = (file: string, makeCode: () => Buffer): void => {
  const whole = `${file}.${process.pid}`;
  try {
    // First, because making the code takes a tenth of a second.
    writeFileSync(whole, '');
    const code = makeCode();
    writeFileSync(whole, Buffer.concat([code, checksumOf(code)]));
    renameSync(whole, file);
  } catch {
    rmSync(whole, { force: true });
  }
};

/** Milliseconds in which a server has served some requests, whose code is then kept too. */
const SERVED_MS = 10_000;

/** A command has nothing left to do; a server goes on. */
const whenMostHasRun = (servedMs: number): Promise<void> =>
  new Promise((resolve) => {
    process.once('beforeExit', () => resolve());
    setTimeout(resolve, servedMs).unref();
  });

/**
 * @param url a script in ASCII, one function as `Run`. It is named by its content, because V8 compares only its length
 * @param use what is run of it: each use has the code of its own functions compiled
 */
export const runCompiled = async (url: URL, use: string, servedMs: number = SERVED_MS): Promise<void> => {
  const filename = fileURLToPath(url);
  // The tag says for which V8, with which flags, on which processor.
  const compiled = `${filename}.${use}.${cachedDataVersionTag()}`;
  const cachedData = readCode(compiled);
  const source = readFileSync(filename, 'latin1');
  const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
  if (process.sourceMapsEnabled) showSourceMap(filename);
  const module = { exports: {} };
  const run = script.runInThisContext() as Run;
  run(module.exports, createRequire(filename), module, filename, dirname(filename));
  await (module.exports as Exports).done;
  if (cachedData !== undefined && script.cachedDataRejected !== true) return;
  await whenMostHasRun(servedMs);
  // V8 compiles a function when it is first called, so this holds those that are needed.
  writeIfPossible(compiled, () => script.createCachedData());
};
