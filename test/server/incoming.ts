import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js';

/** What comes in on a stream, to be waited for. */
export class Incoming<Message> {
  readonly all: Message[] = [];
  /** Resolves with the status that the stream ended with. */
  readonly ended: Promise<Readonly<{ code: status; details: string }>>;
  #taken = 0;
  #failure: Error | null = null;
  #waiting: { readonly count: number; readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  constructor(stream: ClientReadableStream<Message>) {
    stream.on('data', (message: Message) => {
      this.all.push(message);
      this.#notify();
    });
    stream.on('error', (error: ServiceError) => this.#fail(error));
    this.ended = new Promise((resolve) => {
      stream.on('status', ({ code, details }) => {
        resolve({ code, details });
        this.#fail(new Error(`the stream ended with ${status[code]}: ${details}`));
      });
    });
  }

  /** Resolves with the next message that nobody has taken yet; rejects if the stream ends without. */
  async next(): Promise<Message> {
    const at = this.#taken++;
    await this.reach(at + 1);
    return this.all[at] as Message;
  }

  /** Resolves when so many have come in all. */
  reach(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ count, resolve, reject });
      this.#notify();
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#notify();
  }

  #notify(): void {
    this.#waiting = this.#waiting.filter(({ count, resolve, reject }) => {
      if (this.all.length >= count) resolve();
      else if (this.#failure !== null) reject(this.#failure);
      else return true;
      return false;
    });
  }
}
