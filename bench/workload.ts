/** The durable function of every measure. */
export const JOB_NAME = 'bench:email:send';

export interface Mail {
  readonly subject: string;
  readonly locale: string;
}

/** Its arguments: some 50 bytes, packed. */
export const ARGUMENTS: readonly [to: string, mail: Mail] = ['user@example.com', { subject: 'Welcome!', locale: 'en' }];
