// The icons, drawn on a grid of 16. They say nothing to a screen reader: the text beside them does.
const paths = {
  approvals: 'M5.5 8.2 7.3 10l3.4-3.8M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4Z',
  alert: 'M8 2 14.6 13.4H1.4L8 2Zm0 4.4v3.4m0 1.7v.1',
  arrowDown: 'M8 3v10m0 0 4-4m-4 4-4-4',
  arrowUp: 'M8 13V3m0 0L4 7m4-4 4 4',
  check: 'm3 8.5 3.2 3.2L13 4.8',
  chevron: 'm6 3.5 4.5 4.5L6 12.5',
  clock: 'M8 4.2V8l2.6 1.6M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4Z',
  close: 'm3.5 3.5 9 9m0-9-9 9',
  columns: 'M2 3h12v10H2V3Zm4 0v10m4-10v10',
  copy: 'M5.5 5.5V2.4h8.1v8.1h-3.1M2.4 5.5h8.1v8.1H2.4V5.5Z',
  device: 'M4.8 1.8h6.4v12.4H4.8V1.8Zm2.4 10.2h1.6',
  events: 'M1.8 8h3l2-5 2.6 10 2-5h2.8',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6m0 4v3.5H10M6 13.5H2.5V10',
  filter: 'M10.6 10.6 14 14M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Z',
  help: 'M6 6.2a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1v.4m0 2v.1M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4Z',
  instances: 'M2.2 3h11.6v4H2.2V3Zm0 6h11.6v4H2.2V9ZM4.8 5h.1m-.1 6h.1',
  join: 'M8 3v10M3 8h10',
  key: 'M6 9.9 11.8 4m-1.6 1.6 1.8 1.8M5 14a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 5 14Z',
  lock: 'M4 7.2h8v6H4v-6Zm1.6 0V5a2.4 2.4 0 0 1 4.8 0v2.2',
  menu: 'M2.5 4.5h11M2.5 8h11m-11 3.5h11',
  moon: 'M13.2 9.7A5.8 5.8 0 0 1 6.3 2.8a5.6 5.6 0 1 0 6.9 6.9Z',
  minus: 'M3 8h10',
  more: 'M3.4 8h.1M8 8h.1m4.5 0h.1',
  networks:
    'M8 8 3.6 4.4M8 8l4.6-3M8 8v4.2M8 9.6a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2ZM3 5a1.2 1.2 0 1 0 0-2.4A1.2 1.2 0 0 0 3 5Zm10 .6a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4Zm-5 8.2a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4Z',
  offline:
    'M2 2l12 12M4.4 8.8A5 5 0 0 1 6 7.7m4 .2c.6.2 1.1.5 1.6.9M2 6.2a9 9 0 0 1 2.4-1.5m3-.8A8.8 8.8 0 0 1 14 6.2M8 12v.1',
  pause: 'M5.5 3.5v9m5-9v9',
  pencil: 'm3 13 .7-3L11 2.8 13.2 5 6 12.3 3 13Z',
  play: 'M5 3.2v9.6L12.6 8 5 3.2Z',
  policies: 'M8 1.8 13.4 4v3.8c0 3-2.2 5.4-5.4 6.4-3.2-1-5.4-3.4-5.4-6.4V4L8 1.8Z',
  portForward: 'M3 14h10M4.5 14V2.2h7V14M9.3 8.2v.1',
  refresh: 'M13.2 8A5.2 5.2 0 1 1 11.6 4.3L13.2 6m0-3.2V6H10',
  settings:
    'M2 4.5h6m4 0h2M2 11.5h2m4 0h6M10 6.3a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Zm-4 7a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Z',
  signOut: 'M6.5 2.5h-4v11h4M6.5 8h7m0 0-2.8-2.8M13.5 8l-2.8 2.8',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.2m0 10.6v1.2M1.5 8h1.2m10.6 0h1.2M3.4 3.4l.9.9m7.4 7.4.9.9m0-9.2-.9.9m-7.4 7.4-.9.9',
  swap: 'M2.5 5.5h10m0 0L9.8 2.8m2.7 2.7L9.8 8.2M13.5 10.5h-10m0 0 2.7 2.7m-2.7-2.7 2.7-2.7',
  system: 'M2 2.8h12v8H2v-8Zm4 11h4m-2-3v3',
  trash: 'M2.8 4.2h10.4M6.2 4V2.4h3.6V4M4.2 4.2l.6 9.4h6.4l.6-9.4M6.7 7v4m2.6-4v4',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, className }: { readonly name: IconName; readonly className?: string }) {
  return (
    <svg className={className ?? 'icon'} viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

export function Brandmark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#0d4f9e" />
      <path d="M16 16 7.5 8.5M16 16l9-6.5M16 16l-2 9.5" stroke="#fff" strokeWidth="2" />
      <g fill="#fff">
        <circle cx="16" cy="16" r="4.6" />
        <circle cx="7.5" cy="8.5" r="2.6" />
        <circle cx="25" cy="9.5" r="2.6" />
        <circle cx="14" cy="25.5" r="2.6" />
      </g>
    </svg>
  );
}
