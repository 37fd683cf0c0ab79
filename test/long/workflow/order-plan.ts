/** What the workflow of the crash tests does: see `order-workflow.ts`. */

export const PARCELS = ['a', 'b', 'c'];

export const SUSPEND_AFTER_MS = 20;
/** Stays in memory. */
export const SHORT_SLEEP_MS = 10;
/** Is suspended at once. */
export const LONG_SLEEP_MS = 60;
/** The wait for the signal is suspended before it comes. */
export const SIGNAL_DELAY_MS = 60;

export const WORKFLOW_VERSION = 2;

/** Side effects, each of which has a value in the result. */
export const EFFECTS = [
  'charge',
  'label',
  ...PARCELS.flatMap((parcel) => [`ship ${parcel}`, `notify ${parcel}`]),
  'approve',
  'refund',
  'confirm',
  'receipt',
];

/** How many children of each name are called; one that has failed may be called anew. */
export const CHILDREN: Readonly<Record<string, number>> = { approve: 1, charge: 1, confirm: 1, ship: PARCELS.length };
export const FAILED_CHILD = 'decline';
