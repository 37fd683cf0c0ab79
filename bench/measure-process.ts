import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { benchPlan } from './bench-plan.ts';
import { DiskFloor } from './disk-floor.ts';
import { MEASURES } from './measure-list.ts';
import { leaveParent, tellParent } from './parent.ts';

/**
 * Takes one measure in a process of its own, so that none inherits the heap or the compiled code of another:
 * `node measure-process.js <measure> <directory> quick|full`. Sends its figures.
 */
const [name, directory, extent] = process.argv.slice(2) as [string, string, string];
const listed = MEASURES.find((candidate) => candidate.name === name);
if (listed === undefined) throw new Error(`there is no measure ${name}`);
const own = join(directory, name);
mkdirSync(own, { recursive: true });
const floor = new DiskFloor(own);
const measure = await listed.load();
const figures = await measure({ plan: benchPlan(extent === 'quick'), floor, directory: join(own, 'storage') });
floor.close();
await tellParent(figures);
leaveParent();
