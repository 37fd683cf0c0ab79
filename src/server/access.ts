import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { type CallMetadata, StatusError } from './service-errors.ts';

/** Who may call: everyone, or those who bring one of the tokens as `authorization: Bearer TOKEN`. */
export class Access {
  /** Of the process: hashes of a token in two memories have nothing in common. */
  readonly #salt = randomBytes(32);
  readonly #hashes: readonly Buffer[];

  /** `tokens` null: everyone. */
  constructor(tokens: readonly string[] | null) {
    this.#hashes = tokens?.map((token) => this.#hash(token)) ?? [];
    this.isOpen = tokens === null;
  }

  readonly isOpen: boolean;

  /** Throws UNAUTHENTICATED. Compares in a time that tells nothing of the tokens. */
  assert(metadata: CallMetadata): void {
    if (this.isOpen) return;
    const [header] = metadata.get('authorization');
    const given = /^Bearer (.+)$/i.exec(String(header ?? ''))?.[1];
    const hash = this.#hash(given ?? '');
    let isKnown = false;
    for (const known of this.#hashes) isKnown = timingSafeEqual(known, hash) || isKnown;
    if (given === undefined || !isKnown) {
      throw new StatusError(status.UNAUTHENTICATED, 'pass a token of this server as "authorization: Bearer TOKEN"');
    }
  }

  #hash(token: string): Buffer {
    return createHash('sha256').update(this.#salt).update(token).digest();
  }
}
