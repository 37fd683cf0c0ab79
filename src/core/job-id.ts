import type { Runtime } from './runtime.ts';

/** 16 random bytes cost a system call; a pool makes one serve many ids. */
const POOL_BYTES = 4096;

/**
 * Makes UUIDv7 ids (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then a 12-bit counter (its method 1),
 * then 62 random bits. Ids of one generator sort in the order they were made.
 */
export class JobIdGenerator {
  readonly #runtime: Runtime;
  readonly #pool = new Uint8Array(POOL_BYTES);
  #poolPosition = POOL_BYTES;
  #lastMs = 0;
  #counter = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  next(): string {
    const nowMs = Math.floor(this.#runtime.now());
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#counter = 0;
    } else if (++this.#counter > 0xfff) {
      // More than 4096 ids in a millisecond, or a clock that went back: borrow from the next millisecond.
      this.#lastMs++;
      this.#counter = 0;
    }
    if (this.#poolPosition + 8 > POOL_BYTES) {
      this.#runtime.fillRandom(this.#pool);
      this.#poolPosition = 0;
    }
    const pool = this.#pool;
    const at = this.#poolPosition;
    this.#poolPosition += 8;
    const time = this.#lastMs.toString(16).padStart(12, '0');
    const counter = (0x7000 | this.#counter).toString(16);
    const variant = HEX[((pool[at] as number) & 0x3f) | 0x80];
    return `${time.slice(0, 8)}-${time.slice(8)}-${counter}-${variant}${hex(pool, at + 1, 1)}-${hex(pool, at + 2, 6)}`;
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex(bytes: Uint8Array, start: number, length: number): string {
  let text = '';
  for (let i = start; i < start + length; i++) text += HEX[bytes[i] as number];
  return text;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** True for a UUID in its canonical lower-case form, the only form that ids take in storage. */
export function isJobId(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}
