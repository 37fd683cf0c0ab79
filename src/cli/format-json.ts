/** JSON of plain data. What JSON lacks is text: `12n`, `NaN`, `base64:…`; dates are as in JSON. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, function replace(this: object, key: string, item: unknown) {
    // Bytes have turned themselves into something else by now.
    const original: unknown = Reflect.get(this, key);
    if (original instanceof Uint8Array) return `base64:${Buffer.from(original).toString('base64')}`;
    if (typeof item === 'bigint') return `${item}n`;
    return typeof item === 'number' && !Number.isFinite(item) ? String(item) : item;
  });
}
