const BAR_WIDTH = 30;

interface ProgressParams {
  readonly output: { write(text: string): unknown };
  /** Redraws one line in place; otherwise prints a line at every tenth. */
  readonly isTerminal: boolean;
}

/** Shows how far a count has come. */
export class Progress {
  readonly #output: ProgressParams['output'];
  readonly #isTerminal: boolean;
  /** What the terminal's last line shows, without a line end. */
  #bar = '';
  #title = '';
  #total = 0;
  #tenths = 0;

  constructor({ output, isTerminal }: Readonly<ProgressParams>) {
    this.#output = output;
    this.#isTerminal = isTerminal;
  }

  /** Begins to count to `total` anew. */
  start(title: string, total: number): void {
    this.#title = title;
    this.#total = total;
    this.#tenths = 0;
    this.update(0);
  }

  update(count: number): void {
    const share = count / this.#total;
    if (this.#isTerminal) this.#drawBar(share);
    else this.#printTenth(share, count);
  }

  /** Prints a line of its own; a bar moves below it. */
  print(line: string): void {
    const bar = this.#bar;
    this.end();
    this.#output.write(`${line}\n`);
    if (bar !== '') this.#write(bar);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#bar !== '') this.#output.write(CLEAR_LINE);
    this.#bar = '';
  }

  #printTenth(share: number, count: number): void {
    const tenths = Math.floor(share * 10);
    if (tenths === this.#tenths) return;
    this.#tenths = tenths;
    this.#output.write(`${this.#title} ${String(tenths * 10).padStart(3)}%  ${count} of ${this.#total}\n`);
  }

  #drawBar(share: number): void {
    const filled = Math.floor(share * BAR_WIDTH);
    const percent = String(Math.floor(share * 100)).padStart(3);
    const bar = `${this.#title} ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${percent}%`;
    if (bar !== this.#bar) this.#write(bar);
  }

  #write(bar: string): void {
    this.#output.write(`${CLEAR_LINE}${bar}`);
    this.#bar = bar;
  }
}

/** Back to the first column, and erase to the end of the line (ECMA-48, EL). */
const CLEAR_LINE = '\r\u001b[K';
