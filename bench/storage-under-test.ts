import type { Floor } from './floor.ts';

export const STORAGE_KINDS = ['lmdb', 'postgres'] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/** Where a measure makes its storages, and the least that a durable write costs there. */
interface Target {
  readonly floor: Floor;
  /** Of the storage that this measure calls `name` (a-z, 0-9 and _). It is empty when it is opened for the first time. */
  urlOf(name: string): string;
  /** Deletes a storage that nobody has open. */
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface LmdbTarget extends Target {
  readonly kind: 'lmdb';
  /** Of the measure's own. */
  readonly directory: string;
}

export interface PostgresTarget extends Target {
  readonly kind: 'postgres';
  /** Without a schema. */
  readonly serverUrl: string;
  /** Of the server's postmaster; null where its CPU time cannot be read. */
  readonly serverPid: number | null;
  /** The schema of the storage `name`. */
  schemaOf(name: string): string;
}

export type StorageUnderTest = LmdbTarget | PostgresTarget;
