/** What needs no quotes in an array literal. */
type Plain = number | boolean | string | null;

/** An array in PostgreSQL's text form. Strings must be free of what it quotes: ids, words of our own. */
export function arrayLiteral(items: readonly Plain[]): string {
  let text = '{';
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ',';
    text += items[i] ?? 'NULL';
  }
  return `${text}}`;
}

/** As {@link arrayLiteral}, for any text. */
export function textArrayLiteral(items: readonly (string | null)[]): string {
  return arrayLiteral(items.map((item) => (item === null ? null : `"${item.replace(/["\\]/g, '\\$&')}"`)));
}

/** As {@link arrayLiteral}, for UTF-8 bytes of texts, which may hold NUL where PostgreSQL's text may not. */
export function byteaArrayLiteral(items: readonly (string | null)[]): string {
  return arrayLiteral(items.map((item) => (item === null ? null : `"\\\\x${Buffer.from(item).toString('hex')}"`)));
}
