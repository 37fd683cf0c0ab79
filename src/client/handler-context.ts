export { type CurrentJob, currentJob } from '../worker/current-job.ts';
