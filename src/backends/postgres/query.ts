/** What goes to the server in one message, and how often it can go there. */
export interface Query {
  /** Names the prepared statement: the same name has the same text. null: the text is made anew each time. */
  readonly name: string | null;
  /** `{schema}` stands for the schema. */
  readonly text: string;
  readonly values: readonly Value[];
}

export type Value = string | number | boolean | Uint8Array | null;

/** A row as the server prints it: text, whatever parsers the program may have set for its own queries. */
export type Row = readonly (string | null)[];

/** A query, or what makes it when there is a connection to send it on. */
export type QuerySource = Query | (() => Query);

export type RunQuery = (query: QuerySource) => Promise<Row[]>;

/** What a query was to be made of is no longer known: it has to be learnt anew. */
export class StaleQueryError extends Error {}

/** What `synchronous_commit` is to be for one transaction; null: as the server has it. */
export type CommitSetting = 'on' | 'off' | null;
