import { freshSchema, urlWith } from '../postgres/postgres-fixture.ts';
import { testOriginalSdk } from './original-sdk-tests.ts';

testOriginalSdk('Postgres', () => urlWith({ schema: freshSchema() }));
