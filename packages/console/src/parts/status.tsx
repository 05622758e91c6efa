// A status as shape, colour and word, so that none of the three is needed to know it.
export type Tone = 'ok' | 'wait' | 'bad' | 'relay' | 'info' | 'idle';

const shapes = {
  full: <circle cx="6" cy="6" r="4.2" />,
  ring: <circle cx="6" cy="6" r="4" fill="none" />,
  dotted: <circle cx="6" cy="6" r="4" fill="none" strokeDasharray="1.9 2.3" />,
  half: (
    <>
      <circle cx="6" cy="6" r="4" fill="none" />
      <path d="M6 2a4 4 0 0 1 0 8Z" stroke="none" />
    </>
  ),
  triangle: <path d="M6 1.6 10.8 10H1.2L6 1.6Z" strokeLinejoin="round" />,
  square: <path d="M2.2 2.2h7.6v7.6H2.2z" />,
  cross: <path d="m2.5 2.5 7 7m0-7-7 7" fill="none" />,
  tick: <path d="m1.8 6.4 2.8 2.8 5.6-6" fill="none" />,
  diamond: <path d="M6 1.4 10.6 6 6 10.6 1.4 6Z" />,
} as const;

export type Shape = keyof typeof shapes;

export interface StatusProps {
  readonly tone: Tone;
  readonly shape: Shape;
  readonly text: string;
  readonly chip?: boolean;
  /** What the word means, as a tooltip. */
  readonly hint?: string | undefined;
  /** Something is under way. */
  readonly moving?: boolean | undefined;
}

export function StatusShape({
  shape,
  moving,
}: {
  readonly shape: Shape;
  readonly moving?: boolean | undefined;
}) {
  return (
    <svg className={moving === true ? 'shape pulse' : 'shape'} viewBox="0 0 12 12" aria-hidden="true">
      {shapes[shape]}
    </svg>
  );
}

export function Status({ tone, shape, text, chip, hint, moving }: StatusProps) {
  return (
    <span className="status" data-tone={tone} data-chip={chip === true ? '' : undefined} title={hint}>
      <StatusShape shape={shape} moving={moving} />
      {text}
    </span>
  );
}
