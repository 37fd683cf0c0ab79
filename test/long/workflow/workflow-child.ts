import { type LifeParams, live } from './workflow-life.ts';

/** A life that ends before its time, in a process of its own: `node workflow-child.js <LifeParams as JSON>`. */
await live(JSON.parse(process.argv[2] as string) as LifeParams);
