import { toStoredError } from '../workflow/stored-error.ts';

interface Subscription {
  readonly listener: (payload: never) => void;
  readonly isOnce: boolean;
}

/** What a part of the library needs of an {@link EventHub} to tell of what it does. */
export interface EventSink<Events extends object> {
  /** True if somebody listens; asked before a payload is put together. */
  hasListeners(event: keyof Events): boolean;
  emit<Name extends keyof Events>(event: Name, payload: Events[Name]): void;
}

/**
 * Typed events. Listeners run synchronously, in the order they were added. One that throws, or whose promise rejects,
 * stops neither the other listeners nor what told of the event: the error becomes a process warning.
 */
export class EventHub<Events extends object> implements EventSink<Events> {
  readonly #subscriptions = new Map<keyof Events, readonly Subscription[]>();

  on<Name extends keyof Events>(event: Name, listener: (payload: Events[Name]) => void): void {
    this.#add(event, { listener, isOnce: false });
  }

  once<Name extends keyof Events>(event: Name, listener: (payload: Events[Name]) => void): void {
    this.#add(event, { listener, isOnce: true });
  }

  /** Removes `listener` once, as it was added last; without effect if it is not there. */
  off<Name extends keyof Events>(event: Name, listener: (payload: Events[Name]) => void): void {
    const index = this.#subscriptionsOf(event).findLastIndex((subscription) => subscription.listener === listener);
    if (index >= 0) this.#set(event, this.#subscriptionsOf(event).toSpliced(index, 1));
  }

  hasListeners(event: keyof Events): boolean {
    return this.#subscriptions.has(event);
  }

  emit<Name extends keyof Events>(event: Name, payload: Events[Name]): void {
    // The list is replaced and never changed, so a listener may add and remove listeners.
    for (const subscription of this.#subscriptionsOf(event)) {
      if (subscription.isOnce) this.#remove(event, subscription);
      try {
        const returned: unknown = subscription.listener(payload as never);
        if (returned instanceof Promise) returned.catch((error: unknown) => warn(event, error));
      } catch (error) {
        warn(event, error);
      }
    }
  }

  #subscriptionsOf(event: keyof Events): readonly Subscription[] {
    return this.#subscriptions.get(event) ?? [];
  }

  #add(event: keyof Events, subscription: Subscription): void {
    this.#set(event, [...this.#subscriptionsOf(event), subscription]);
  }

  #remove(event: keyof Events, subscription: Subscription): void {
    this.#set(
      event,
      this.#subscriptionsOf(event).filter((other) => other !== subscription),
    );
  }

  #set(event: keyof Events, subscriptions: readonly Subscription[]): void {
    if (subscriptions.length === 0) this.#subscriptions.delete(event);
    else this.#subscriptions.set(event, subscriptions);
  }
}

function warn(event: PropertyKey, error: unknown): void {
  const { name, message, stack } = toStoredError(error);
  process.emitWarning(`a listener of '${String(event)}' failed: ${stack ?? `${name}: ${message}`}`, 'ReseolioWarning');
}
