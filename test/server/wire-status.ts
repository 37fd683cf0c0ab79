import { status } from '@grpc/grpc-js';

export const JOB = { pending: 1, running: 2, success: 3, failed: 4, dead: 5, cancelled: 6 } as const;
export const SCHEDULE = { active: 1, paused: 2, deleted: 3 } as const;

/** What `expect(…).rejects.toMatchObject` takes to find this status. */
export function withStatus(code: keyof typeof status): { code: status } {
  return { code: status[code] as unknown as status };
}
