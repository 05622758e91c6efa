// For how long a session is established, for people.

/** `1d02h03m`, `2h03m`, `3m04s`, `4s`. */
export function uptimeText(seconds: number): string {
  const parts = [
    { unit: 'd', size: 86_400 },
    { unit: 'h', size: 3600 },
    { unit: 'm', size: 60 },
    { unit: 's', size: 1 },
  ].map(({ unit, size }, i, all) => {
    const whole = all[i - 1]?.size ?? Number.POSITIVE_INFINITY;
    return { unit, count: Math.floor((seconds % whole) / size) };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  const from = first === -1 ? parts.length - 1 : first;
  return parts
    .slice(from, from === 0 ? 3 : from + 2)
    .map(({ unit, count }, i) => `${i === 0 ? count : String(count).padStart(2, '0')}${unit}`)
    .join('');
}
