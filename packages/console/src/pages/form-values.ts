// From what is written in fields to parameters. Judging them is the platform's part. No elements here.

/** Fields that were left empty are not sent. */
export function withoutBlanks<T extends Record<string, string>>(values: T): { [K in keyof T]?: string } {
  const kept = Object.entries(values).filter(([, value]) => value.trim() !== '');
  return Object.fromEntries(kept) as { [K in keyof T]?: string };
}

/** A number where one was written. Anything else goes as it is, so that the platform says what is wrong with it at
 * its field; the type is what the parameter should be. */
export function numberOrText(text: string): number {
  const trimmed = text.trim();
  const value = trimmed === '' ? Number.NaN : Number(trimmed);
  return Number.isFinite(value) ? value : (trimmed as unknown as number);
}
