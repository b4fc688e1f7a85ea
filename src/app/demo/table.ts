/** A table that is redrawn in place on a terminal; elsewhere only changed rows are printed. */

export interface Row {
  readonly text: string;
  readonly state: string;
  readonly price: string;
  readonly result: string;
}

const WIDTHS = { text: 30, state: 13, price: 7 } as const;
const RESULT_WIDTH_MIN = 20;

export class LiveTable {
  readonly #output: NodeJS.WriteStream;
  #shown: readonly string[] = [];

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  /** Shows the current rows. */
  draw(rows: readonly Row[]): void {
    const width = Math.max(RESULT_WIDTH_MIN, (this.#output.columns ?? 120) - WIDTHS.text - WIDTHS.state - WIDTHS.price - 2);
    const head = this.#line({ text: "TEXT", state: "STATE", price: "PRICE", result: "RESULT" }, width);
    const lines = [head, ...rows.map((row) => this.#line(row, width))];
    if (this.#output.isTTY) {
      const up = this.#shown.length > 0 ? `\u001b[${this.#shown.length}A` : "";
      this.#output.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join("")}`);
    } else {
      for (const [index, line] of lines.entries()) if (this.#shown[index] !== line) this.#output.write(`${line}\n`);
    }
    this.#shown = lines;
  }

  #line({ text, state, price, result }: Row, width: number): string {
    const cut = result.length > width ? `${result.slice(0, width - 1)}…` : result;
    return `${text.padEnd(WIDTHS.text)}${state.padEnd(WIDTHS.state)}${price.padStart(WIDTHS.price - 2)}  ${cut}`;
  }
}
