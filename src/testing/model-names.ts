/** The names of the jobs of random runs: few, and one the beginning of another, so that jobs meet. */
export const MODEL_NAMES = ['task', 'task:sub', 'other'] as const;
