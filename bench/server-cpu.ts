import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Linux counts in ticks of this length for programs, whatever its own clock does. */
const TICK_MICROS = 10_000;

interface ProcessTimes {
  readonly parent: number;
  readonly ownTicks: number;
  /** Of its children that have ended. */
  readonly endedTicks: number;
}

/** CPU time that a Postgres server has used so far, all its processes, those too that have ended. Null: not known. */
export function readServerCpuMicros(postmaster: number | null): number | null {
  if (postmaster === null || !existsSync('/proc/self/stat')) return null;
  let ticks = 0;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const times = Number.isInteger(pid) ? readTimes(pid) : null;
    if (times === null) continue;
    if (times.parent === postmaster) ticks += times.ownTicks;
    if (pid === postmaster) ticks += times.ownTicks + times.endedTicks;
  }
  return ticks * TICK_MICROS;
}

/** Null if the process has ended meanwhile. Numbering as in proc(5). */
function readTimes(pid: number): ProcessTimes | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const field = (number: number): number => Number(fields[number - 3]);
    return { parent: field(4), ownTicks: field(14) + field(15), endedTicks: field(16) + field(17) };
  } catch {
    return null;
  }
}
