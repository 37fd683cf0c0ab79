import { testOriginalSdk } from './original-sdk-tests.ts';
import { lmdbUrl } from './server-fixture.ts';

testOriginalSdk('LMDB', lmdbUrl);
