import type { Reporter, TestModule, TestSuite } from 'vitest/node';

/** Prints `N passed, N failed, N skipped` as the last line of a run, for those who count tests from the output. */
export default class CountsReporter implements Reporter {
  #line = '0 passed, 1 failed, 0 skipped';

  onInit(): void {
    // Other reporters print after the run too; what is written when the process exits comes last.
    process.once('exit', () => console.log(this.#line));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], reason: string): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += (suite as TestSuite).errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that is still pending at the end never ran, because its file or its worker went down.
        counts[state === 'pending' ? 'failed' : state]++;
      }
    }
    if (reason !== 'passed' && counts.failed === 0) counts.failed = 1;
    this.#line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
  }
}
