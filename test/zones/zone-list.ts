import { MINUTE_MS } from './zone-clock.ts';

/** Ten years, in minutes since 1970. */
export const FROM = Date.UTC(2020, 0, 1) / MINUTE_MS;
export const TO = Date.UTC(2030, 0, 1) / MINUTE_MS;

/** All that Node knows of, but for names that only point to another, and UTC. */
export function allZones(): string[] {
  return [...new Set([...Intl.supportedValuesOf('timeZone'), 'UTC'])];
}
