import type { Payload } from '../../core/payload.ts';

/** Payloads of one batch on their way to the server: all bytes in one parameter, which is sent as it is. */
export class PayloadPack {
  readonly isJson: (boolean | null)[] = [];
  /** From 1, as `substring` counts. */
  readonly starts: (number | null)[] = [];
  readonly lengths: (number | null)[] = [];
  readonly #parts: Uint8Array[] = [];
  #end = 1;

  add(payload: Payload | null): void {
    this.isJson.push(payload === null ? null : payload.encoding === 'json');
    this.starts.push(payload === null ? null : this.#end);
    this.lengths.push(payload === null ? null : payload.bytes.length);
    if (payload === null) return;
    this.#parts.push(payload.bytes);
    this.#end += payload.bytes.length;
  }

  /** All bytes, one payload after the other. */
  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** `pg` sends a Buffer as it is, and any other view as its text. */
export function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A payload from its two columns, as text. */
export function readPayload(isJson: string, bytes: string): Payload {
  return { encoding: isJson === 't' ? 'json' : 'msgpack', bytes: readBytea(bytes) };
}

/** bytea as the server prints it: `\x` and hexadecimal digits. */
export function readBytea(text: string): Buffer {
  return Buffer.from(text.slice(2), 'hex');
}
