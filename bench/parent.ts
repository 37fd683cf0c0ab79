/** Sends `message` to the process that started this one; resolves when it is on its way. */
export function tellParent(message: object): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) {
      // Started by hand, for example under a profiler.
      console.log(JSON.stringify(message));
      resolve();
    } else {
      process.send(message, (error: Error | null) => (error === null ? resolve() : reject(error)));
    }
  });
}

/** Lets this process end, and with its parent at the latest. */
export function leaveParent(): void {
  if (process.connected) process.disconnect();
}

/** Calls `listener` with each message of the parent. Ends this process when the parent is gone. */
export function hearParent(listener: (message: string) => void): void {
  process.on('message', (message) => listener(String(message)));
  process.once('disconnect', () => process.exit());
}
