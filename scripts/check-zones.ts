import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { BruteForce } from '../test/zones/brute-force.ts';
import { checkZone, describeFailures, type Finding } from '../test/zones/check-zone.ts';
import { CRONER_DIFFERENCES } from '../test/zones/croner.ts';
import { EXPRESSIONS } from '../test/zones/expressions.ts';
import { clockKey, readZoneClock } from '../test/zones/zone-clock.ts';
import { allZones, FROM, TO } from '../test/zones/zone-list.ts';

const SHOWN_FAILURES = 100;

/** What a thread has found in one zone. */
interface ZoneFindings {
  /** The same for zones whose clocks show the same all along. */
  readonly clock: string;
  readonly findings: readonly Finding[];
}

/**
 * Compares the occurrences of some expressions in every zone with an oracle and with croner, over ten years; exits with 1
 * if a difference is unexplained.
 */
async function checkAllZones(): Promise<void> {
  const zones = allZones();
  const threads = availableParallelism();
  const shares = [...Array(threads).keys()].map((thread) => zones.filter((_, i) => i % threads === thread));
  const found = (await Promise.all(shares.map(checkInThread))).flat();
  const clocks = new Set(found.map(({ clock }) => clock));
  const { tz, icu } = process.versions;
  console.log(`${found.length} of ${zones.length} zones, with ${clocks.size} different clocks, 2020 to 2029`);
  console.log(`time zone database ${tz}, ICU ${icu}, Node ${process.version}`);
  const failures = reportFindings(found.flatMap(({ findings }) => findings));
  process.exitCode = failures === 0 && found.length === zones.length ? 0 : 1;
}

function checkInThread(zones: readonly string[]): Promise<ZoneFindings[]> {
  return new Promise((resolve, reject) => {
    const found: ZoneFindings[] = [];
    new Worker(new URL(import.meta.url), { workerData: zones })
      .on('message', (findings: ZoneFindings) => found.push(findings))
      .on('error', reject)
      .on('exit', () => resolve(found));
  });
}

/** Croner takes several times as long, so that of zones with the same clocks one is compared with it in full. */
function checkZones(zones: readonly string[], post: (found: ZoneFindings) => void): void {
  const oracle = new BruteForce(EXPRESSIONS, FROM, TO);
  const seen = new Set<string>();
  for (const timezone of zones) {
    const clock = readZoneClock(timezone, ...oracle.clockRange);
    const key = clockKey(clock);
    post({ clock: key, findings: checkZone(oracle, clock, seen.has(key) ? 'changes' : 'all') });
    seen.add(key);
  }
}

/** Returns how many differences nothing explains. */
function reportFindings(findings: readonly Finding[]): number {
  const rows = EXPRESSIONS.map(({ text }) => ({
    expression: text,
    ...countsOf(findings.filter(({ cron }) => cron === text)),
  }));
  console.table([...rows, { expression: 'all', ...countsOf(findings) }]);
  const failures = findings.flatMap(describeFailures);
  for (const failure of failures.slice(0, SHOWN_FAILURES)) console.log(failure);
  console.log(`${failures.length} differences are unexplained`);
  return failures.length;
}

function countsOf(findings: readonly Finding[]): { [column: string]: number } {
  const sum = (count: (finding: Finding) => number) => findings.reduce((total, finding) => total + count(finding), 0);
  const kinds = CRONER_DIFFERENCES.map((kind) => [
    kind,
    sum(({ cronerDifferences }) => cronerDifferences.filter((difference) => difference.kind === kind).length),
  ]);
  return {
    oracle: sum(({ agreed }) => agreed),
    differences: sum(({ differences }) => differences.length),
    croner: sum(({ cronerAgreed }) => cronerAgreed),
    ...Object.fromEntries(kinds),
  };
}

if (isMainThread) await checkAllZones();
else checkZones(workerData as readonly string[], (found) => parentPort?.postMessage(found));
