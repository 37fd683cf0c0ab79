import type { Runtime } from '../core/runtime.ts';
import type { Request } from './request.ts';

export interface WaitsParams {
  readonly runtime: Pick<Runtime, 'setTimer'>;
  /** What the storage's clock reads. */
  readonly now: () => number;
  readonly onElapsed: (request: Request) => void;
  /** A look has found nothing. */
  readonly onLooked: (request: Request) => void;
}

/** Requests that wait for something that may be there already, and that time may end: what came in time comes first. */
export class Waits {
  readonly #params: WaitsParams;

  constructor(params: WaitsParams) {
    this.#params = params;
  }

  begin(request: Request): void {
    const { runtime, now } = this.#params;
    if (request.wakeAt !== null && request.wakeAt <= now()) this.#elapse(request);
    else if (request.wakeAt !== null) request.setTimer(runtime, now, () => this.#elapse(request));
    if (request.isWaiting && !request.isLooking) this.look(request);
  }

  /** Finds out whether what a request waits for is there. */
  look(request: Request): void {
    if (request.look === null) return;
    request.isLooking = true;
    request.look();
  }

  /** A look that was made while the request waited has found nothing. */
  lookedInVain(request: Request): void {
    if (!request.isWaiting || !request.isLooking) return;
    request.isLooking = false;
    if (request.isElapsed) this.#params.onElapsed(request);
    else this.#params.onLooked(request);
  }

  /** What has come in time counts, though nobody has looked. */
  #elapse(request: Request): void {
    request.isElapsed = true;
    if (request.look === null) this.#params.onElapsed(request);
    else this.look(request);
  }
}
