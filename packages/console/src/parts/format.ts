// Numbers and times as people read them.

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes in steps of 1000, three digits: `0 B`, `999 B`, `1.23 kB`, `12.3 MB`. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '—';
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return `${value} B`;
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** A length of time in its largest unit, and the next one where that says something: `45 s`, `3 min`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / second)) * second;
  if (whole < minute) return `${whole / second} s`;
  if (whole < hour) return `${Math.floor(whole / minute)} min`;
  if (whole < day) {
    const minutes = Math.floor((whole % hour) / minute);
    return `${Math.floor(whole / hour)} h${minutes === 0 ? '' : ` ${minutes} min`}`;
  }
  const days = Math.floor(whole / day);
  const hours = Math.floor((whole % day) / hour);
  return `${days} d${hours === 0 || days >= 7 ? '' : ` ${hours} h`}`;
}

/** How long ago or how soon: `12 s ago`, `in 3 h`. Clocks differ by moments, so the present is wide. */
export function formatAge(at: string | null, now: number): string {
  if (at === null) return 'never';
  const difference = now - Date.parse(at);
  if (Number.isNaN(difference)) return at;
  if (difference < -2 * second) return `in ${formatDuration(-difference)}`;
  return difference < second ? 'now' : `${formatDuration(difference)} ago`;
}

const clockFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const dateFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

/** The time of day with seconds, in the reader's zone: `14:03:09`. */
export function formatClock(ms: number): string {
  return clockFormat.format(ms);
}

export function formatDateTime(at: string): string {
  const ms = Date.parse(at);
  return Number.isNaN(ms) ? at : dateFormat.format(ms);
}

/** `1 peer`, `2 peers`, `10,000 peers`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? noun : plural}`;
}
