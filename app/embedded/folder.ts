/** A data folder: its log and its vault, opened together and only if they belong together. */

import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LogReader } from '../../log/port.ts';
import { openSqliteEventLog, type SqliteEventLog } from '../../log/sqlite/event-log.ts';
import { openSqliteLogReader } from '../../log/sqlite/log-reader.ts';
import { LOG_FILE } from '../../log/sqlite/schema.ts';
import { keepForEpoch } from '../../projections/embedded/file.ts';
import { inspectViews } from '../../projections/embedded/verify.ts';
import type { Clock } from '../../schemas/clock.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import { isFull } from '../../stores/sqlite/failures.ts';
import { type FileGone, HeldFiles } from '../../stores/sqlite/held-files.ts';
import { lockDirectory } from '../../stores/sqlite/lock.ts';
import { Reserve } from '../../stores/sqlite/reserve.ts';
import { SIGNING_KEY_FILE, VAULT_FILE } from '../../vault/sqlite/open.ts';
import { openSqliteVault, type SqliteVault } from '../../vault/sqlite/vault.ts';
import { Opened } from '../opened.ts';
import { identityOf, isCopy, LOG_MISSING, misfits, UnfitFolder } from './fit.ts';

export const VIEWS_FILE = 'views.db';
const RESERVE_FILE = 'parley.reserve';

export interface FolderOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** Goes on although parts are missing, older or foreign. Default: refuses to open. */
  readonly acceptLoss?: boolean;
  /** Gives the log a new epoch in any case. */
  readonly newEpoch?: boolean;
  /** Called after every commit with the number of events made durable. */
  readonly onCommit?: (events: number) => void;
  /** Called with the reason when the log stores nothing although the request is right. */
  readonly onRefused?: (failure: unknown) => void;
  /** Called whenever events cannot be read because the log is damaged. */
  readonly onDamage?: (damage: Error) => void;
  /** Reports to people what was found. */
  readonly say: (line: string) => void;
}

export interface Folder {
  readonly log: SqliteEventLog;
  readonly vault: SqliteVault;
  /** Stops taking events until there is room again. To be called when the views cannot be written for want of room. */
  diskIsFull(): void;
  /** Notes in the vault how far the log is, and sees whether there is room again. To be called every second or so. @throws StoreUnavailable on a full disk */
  remember(): Promise<void>;
  /** Whether nothing is stored now, for want of room. */
  isFull(): boolean;
  /** The first file that was removed or replaced meanwhile. To be called every second or so. */
  gone(): FileGone | undefined;
  close(): Promise<void>;
}

const unlessUnavailable = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (failure) {
    if (!(failure instanceof StoreUnavailable)) throw failure;
  }
};

const isThere = (file: string): boolean => existsSync(file) && statSync(file).size > 0;

/** Keeps what is left of a lost file: its journal may hold some of it, and would keep a new file from being made. */
const setAside = (file: string): void => {
  for (const part of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(part)) renameSync(part, `${part}.lost`);
};

const open = async (options: FolderOptions, opened: Opened): Promise<Folder> => {
  const { directory, clock, acceptLoss = false, newEpoch = false, onCommit, onRefused, onDamage, say } = options;
  const at = (name: string) => join(directory, name);
  const lock = opened.add(lockDirectory(directory), (one) => one.release());
  const files = new HeldFiles();
  files.hold(lock.path);
  const had = {
    log: isThere(at(LOG_FILE)),
    vault: isThere(at(VAULT_FILE)),
    key: existsSync(at(SIGNING_KEY_FILE)),
    views: existsSync(at(VIEWS_FILE)),
  };
  if (acceptLoss) for (const name of [LOG_FILE, VAULT_FILE]) if (!isThere(at(name))) setAside(at(name));
  const openVault = async (): Promise<SqliteVault> =>
    opened.add(await openSqliteVault({ directory, files }), (one) => one.close());

  const reserve = new Reserve(at(RESERVE_FILE));
  reserve.take();
  // A log that is opened for writing is created, so a missing one must be noticed before.
  const found = had.vault ? await openVault() : undefined;
  const remembered = await found?.rememberedPosition();
  const hadOne = found === undefined ? had.views : !found.isEmpty() || (remembered?.position ?? 0) > 0;
  const lost: string[] = !had.log && hadOne ? [LOG_MISSING] : [];
  if (lost.length > 0 && !acceptLoss) throw new UnfitFolder(directory, lost);
  const notedLog = found?.notedLog();
  const copied = had.log && notedLog !== undefined && isCopy(at(LOG_FILE), notedLog);

  const log = await openSqliteEventLog({
    ...{ directory, clock, lock, files, acceptLoss },
    ...(onCommit === undefined ? {} : { onCommit }),
    hindered: () => reserve.lack(),
    onRefused: (failure) => {
      if (isFull(failure)) reserve.giveUp();
      onRefused?.(failure);
    },
    ...(onDamage === undefined ? {} : { onDamage }),
  });
  opened.add(log, (one) => one.close());
  const head = await log.head();
  // A backup of log and vault may well be older than views that stayed in their place.
  const views = copied || newEpoch ? undefined : inspectViews(at(VIEWS_FILE));
  if (lost.length === 0)
    lost.push(
      ...misfits({
        log: { epoch: log.epoch, formerEpoch: log.formerEpoch(), head, vault: log.vaultNote() },
        vault: found && { note: found.note(), remembered },
        views: views && { epoch: views.epoch, position: views.checkpoint },
      }),
    );
  if (lost.length > 0 && !acceptLoss) throw new UnfitFolder(directory, lost);

  const vault = found ?? (await openVault());
  for (const line of lost) say(line);
  if (!had.key && head > 0) say('signing.key was missing: there is a new one, so everybody signs in again.');
  if (copied && !newEpoch)
    say('log.db was copied, put back or changed since its last use: sessions from before cannot be resumed.');
  if (lost.length > 0 || copied || newEpoch) {
    const epoch = log.epoch;
    await log.renewEpoch();
    if (lost.length === 0) keepForEpoch(at(VIEWS_FILE), epoch, log.epoch, head);
  }
  log.pairWith(() => vault.note());

  let told: { readonly epoch: string; readonly head: number } | undefined;
  let noted = notedLog;
  const inUse = identityOf(at(LOG_FILE), false);
  const remember = async (): Promise<void> => {
    const head = await log.head();
    if (log.epoch !== told?.epoch || head !== told.head) await vault.rememberPosition(log.epoch, head);
    told = { epoch: log.epoch, head };
    if (noted === inUse) return;
    await vault.noteLog(inUse);
    noted = inUse;
  };
  // The log's file is about to change.
  await unlessUnavailable(remember);

  return {
    log,
    vault,
    async remember() {
      reserve.take();
      await remember();
    },
    gone: () => files.gone(),
    isFull: () => reserve.lack() !== undefined,
    diskIsFull: () => reserve.giveUp(),
    async close() {
      await unlessUnavailable(remember);
      await log.close();
      if (files.gone() === undefined) await unlessUnavailable(() => vault.noteLog(identityOf(at(LOG_FILE), true)));
      await vault.close();
      lock.release();
    },
  };
};

/**
 * Opens the folder for this process alone, and creates it if there is none.
 * @throws UnusableDirectory, DirectoryInUse, UnusableLog, UnusableVault; UnfitFolder when its parts do not belong together
 */
export const openFolder = async (options: FolderOptions): Promise<Folder> => {
  const opened = new Opened();
  try {
    return await open(options, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
};

/**
 * Opens only the log, to read it while no other process uses the folder. Neither the log nor the vault is changed.
 * @throws UnusableLog, also when there is no log; DirectoryInUse
 */
export const readFolder = async (
  options: Pick<FolderOptions, 'directory' | 'clock'>,
): Promise<{ readonly log: LogReader; close(): Promise<void> }> => {
  const opened = new Opened();
  try {
    // First, because locking creates a folder that is not there.
    const log = opened.add(await openSqliteLogReader(options), (one) => one.close());
    opened.add(lockDirectory(options.directory), (one) => one.release());
    return { log, close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
};
